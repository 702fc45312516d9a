"""Impossible entries are refused, each condition with its own message and location, and not a bit is written."""

from harness import configs, gpt
from harness.lab import Lab, LabDisk
from harness.lab_result import refused

WHERE = "$.storage.disks.0.partitions.0"
GUID = "7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1c01"
OTHER = "7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1c02"
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4"
# 256 MiB in sectors of 512 bytes.
THERE = (
    {"number": 1, "label": "one", "startMiB": 1, "sizeMiB": 20, "guid": GUID},
    {"number": 2, "label": "two", "startMiB": 50, "sizeMiB": 50},
)
LAST = 256 * 2048 - 34
MORE = "partition 1 exists and differs in more than its size, which is all that resize changes: "
REFUSED: dict[str, tuple[configs.Json, str]] = {
    "exists, and must not": ({"number": 1, "shouldExist": False}, "partition 1 exists, and shouldExist is false"),
    "label": ({"number": 1, "label": "other"}, "partition 1 exists and differs: label 'one' instead of 'other'"),
    "start": ({"number": 1, "startMiB": 2}, "partition 1 exists and differs: start 2048 instead of 4096 sectors"),
    "size": ({"number": 1, "sizeMiB": 21}, "partition 1 exists and differs: size 40960 instead of 43008 sectors"),
    "size 0": ({"number": 1, "sizeMiB": 0}, "partition 1 exists and differs: size 40960 instead of 100352 sectors"),
    "guid": ({"number": 1, "guid": OTHER.upper()}, f"partition 1 exists and differs: guid {GUID} instead of {OTHER}"),
    "type": ({"number": 1, "typeGuid": ESP}, f"partition 1 exists and differs: typeGuid {LINUX_DATA} instead of {ESP}"),
    "two": (
        {"number": 1, "label": "x", "sizeMiB": 10},
        "partition 1 exists and differs: size 40960 instead of 20480 sectors; label 'one' instead of 'x'",
    ),
    "resize and label": ({"number": 1, "label": "x", "sizeMiB": 10, "resize": True}, f"{MORE}label 'one' instead of 'x'"),
    "resize and start": (
        {"number": 1, "startMiB": 2, "sizeMiB": 10, "resize": True}, f"{MORE}start 2048 instead of 4096 sectors"
    ),
    "resize into the next": (
        {"number": 1, "sizeMiB": 60, "resize": True},
        "partition 1 of /dev/disk does not fit: from 1 MiB to partition 2 there are 49 MiB, and 60 MiB are wanted",
    ),
    "behind the end": (
        {"number": 3, "startMiB": 200, "sizeMiB": 60},
        "partition 3 of /dev/disk does not fit: from 200 MiB to the end of the disk there are 55.98 MiB, and 60 MiB are wanted",
    ),
    "start behind the end": (
        {"number": 3, "startMiB": 300},
        f"partition 3 of /dev/disk cannot begin at sector 614400: partitions lie between the sectors 34 and {LAST}",
    ),
    "start in another": (
        {"label": "new", "startMiB": 60, "sizeMiB": 1},
        "partition 3 of /dev/disk cannot begin at sector 122880: that is inside partition 2",
    ),
    "no such number": ({"number": 129, "label": "x"}, "the table of /dev/disk has no place for partition 129, only for 128"),
}  # fmt: skip
INVALID: dict[str, tuple[configs.Json, str]] = {
    "label with a colon": ({"number": 5, "label": "a:b"}, f"{WHERE}.label"),
    "label of 37": ({"number": 5, "label": "x" * 37}, f"{WHERE}.label"),
    "number 0 without a label": ({"sizeMiB": 1}, WHERE),
    "absent with a size": ({"number": 5, "shouldExist": False, "sizeMiB": 1}, WHERE),
    "guid": ({"number": 5, "guid": "1234"}, f"{WHERE}.guid"),
}


def run(lab: Lab, disk: LabDisk) -> None:
    """All on one table, which stays as it is to the last bit."""
    with lab.scenario("refused", disk) as checks:
        lab.provision(configs.disk(disk, *THERE))
        lab.flush(disk)
        before = gpt.digest_of(disk.image)
        for name, (partition, message) in REFUSED.items():
            result = lab.provision(configs.disk(disk, partition))
            refused(checks, name, result, WHERE, message.replace("/dev/disk", str(disk)))
        for name, (partition, where) in INVALID.items():
            result = lab.provision(configs.disk(disk, partition))
            checks.equal(f"{name}: refused by", ("fetch-offline", 1), (result.stage, result.status))
            checks.contains(name, f"error at {where}", result.log)
        twice(lab, disk)
        lab.flush(disk)
        checks.equal("all bits of the disk", before, gpt.digest_of(disk.image))


def twice(lab: Lab, disk: LabDisk) -> None:
    """One disk under two names; a disk that is full; one that never comes is in the unit tests, as it is waited for."""
    by_id = lab.must(f"find -L /dev/disk/by-id -samefile {disk} | head -n 1").strip()
    with lab.scenario("one disk under two names") as checks:
        both = [{"device": name, "partitions": [{"number": 1, "label": "one"}]} for name in (str(disk), by_id)]
        result = lab.provision(configs.storage(disks=both))
        message = f"{by_id} is the same disk as $.storage.disks.0"
        refused(checks, "two names", result, "$.storage.disks.1", message)
    with lab.scenario("no space") as checks:
        full = [{"label": label, "sizeMiB": 0} for label in "abc"]
        result = lab.provision(configs.disk(disk, *full, {"label": "d", "sizeMiB": 1}))
        refused(checks, "no space", result, f"{WHERE[:-1]}3", f"no free space for partition 6 of {disk}")
