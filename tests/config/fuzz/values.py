"""Good and bad values of the members of a config, by their JSON names: random text alone would hardly ever be valid."""

SHA_512, SHA_256 = "sha512-" + "0f" * 64, "sha256-" + "0f" * 32
GUID = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
UNIT = "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
SOURCES = [
    "data:,hello%20there",
    "data:;base64,aGVsbG8=",
    "",
    "http://127.0.0.1/x",
    "https://[::1]:8443/x?y=z",
    "tftp://127.0.0.1/x",
    "s3://bucket/key",
]
PATHS = ["/a", "/a/b", "/etc/hostname", "/home/core/.ssh/authorized_keys", "/opt/ü/x y", "/srv", "/var/lib/data"]
DEVICES = ["/dev/vda", "/dev/vdb", "/dev/disk/by-partlabel/data", "/dev/md/x", "/dev/mapper/y"]
WORDS = ["x", "core", "data", "ROOT", "ü", "a b", "--flag=1"]

# member → (values that are right in most places, values that are wrong in most)
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "source": (
        SOURCES,
        ["oem:///x", "gs://b/o", "arn:aws:s3:::b/k", "ftp://h/x", "no url", "data:", "http://%", ":", "\x00", "//h"],
    ),
    "compression": (["", "gzip"], ["xz"]),
    "hash": ([SHA_512], [SHA_256, "sha512-", "", "md5-0", SHA_512 + "0"]),
    "path": (PATHS, ["", "a", "/a/../b", "//", "/", "/a/", "/etc/systemd/system/a.service", "/" + "x/" * 300 + "y"]),
    "target": ([*PATHS, "../x"], ["", "\x00"]),
    "device": (DEVICES, ["", "vda", "/dev/../x", "tag"]),
    "devices": (DEVICES, ["", "md0"]),
    "format": (["ext4", "xfs", "btrfs", "vfat", "swap"], ["none", "virtiofs", "ext3", "", "EXT4"]),
    "level": (["raid1", "raid0", "linear", "10"], ["raid7", "", "1 "]),
    "label": (["data", "ROOT", "x" * 11], ["x" * 37, "a:b", "", "ü" * 20]),
    "guid": ([GUID, GUID.upper(), ""], ["{" + GUID + "}", "4f68"]),
    "typeGuid": ([GUID, GUID.upper(), ""], [GUID[:-1], "linux"]),
    "url": (["http://127.0.0.1/", "https://tang.example"], ["", "ftp://x", "tang"]),
    "httpProxy": (["http://127.0.0.1:3128/"], ["", "socks5://x", "proxy"]),
    "httpsProxy": (["https://127.0.0.1/", "http://127.0.0.1/"], ["", "ftp://x"]),
    "contents": ([UNIT, "", "[Service]\nExecStart=/bin/true\n"], ["[Unit", "x", "[a]\nb", "[a]b", "[a]\n" + "x" * 5000]),
    "pin": (["tpm2", "tang"], ["", "other"]),
    "advertisement": (['{"payload": ""}', ""], ["{"]),
    "passwordHash": (["$y$j9T$x$y", "*", ""], ["secret"]),
    "filesystem": (["root"], ["data", "", "oem"]),
}
NAMES: dict[str, list[str]] = {  # `name` means something else in each list
    "units": ["a.service", "b@.service", "b@x.service", "c.mount", "d.timer", "00-eth.network", "x", "a.servcie", "a/b.service"],
    "dropins": ["10-a.conf", "20-b.conf", "x", ".conf"],
    "httpHeaders": ["Accept", "X-Token", ""],
    "users": ["core", "root", "ü", "", "a:b"],
    "groups": ["core", "wheel", "", "a,b"],
    "raid": ["data", "a/b", ""],
    "luks": ["data", "a/b", ""],
}
INTEGERS: dict[str, list[int]] = {
    "mode": [420, 493, 384, 0, 4095, 4096, -1, 644],
    "number": [0, 1, 2, 3, 9, 128, 129, -1],
    "sizeMiB": [0, 1, 16, 100, 10**12, -1],
    "startMiB": [0, 1, 17, 200, 10**12, -1],
    "size": [0, 2048, 65536, 5, -1],
    "start": [0, 2048, 65536, 5, -1],
    "id": [0, 500, 65534, -1, 2**40],
}
ANY_INTEGER = [0, 1, 2, 10, 1000, -1, 2**31, 2**63 - 1]
