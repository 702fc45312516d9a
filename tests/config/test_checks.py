"""What the checks tell JSON Schema is never stricter than the checks themselves."""

import random
from collections.abc import Iterator

import jsonschema
import pytest

from ignition.config import checks as kinds
from ignition.config.checks import Check
from ignition.config.model.ignition import Resource
from ignition.config.record import Field, Record
from ignition.config.schema import VERSIONS, root

PIECES = [
    "/",
    ".",
    "..",
    "a",
    "é",
    "\n",
    "-",
    ":",
    ";",
    " ",
    "%",
    "@",
    "http",
    "https://",
    "data:",
    "s3:",
    "ARN:",
    "gzip",
    "ext4",
]
PIECES += [".conf", ".service", ".network", "sha512-", "a" * 128, "sha256-", "f" * 64, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"]
NUMBERS = [-4096, -1, 0, 1, 420, 2047, 2048, 4095, 4096, 2**40]


def fields(cls: type[Record]) -> Iterator[Field]:
    for field in cls.FIELDS.values():
        yield field
        if field.is_record:
            yield from fields(field.element)


def checks(version: str) -> dict[str, tuple[Check, list[str] | list[int]]]:
    """Those with a constraint, by what they say, each with values to try."""
    texts = ["".join(pieces) for pieces in random_pieces()]
    found: dict[str, tuple[Check, list[str] | list[int]]] = {}
    for field in fields(root(version)):
        for check in (*field.checks, *field.each):
            if field.element in (str, int) and check.holds_in(version) and not check.warns and check.constraint(version):
                found[f"{type(check).__name__} {check.constraint(version)}"] = check, NUMBERS if field.element is int else texts
    return found


def random_pieces() -> Iterator[list[str]]:
    chance = random.Random(20)
    for _ in range(300):
        yield chance.choices(PIECES, k=chance.randint(0, 4))


@pytest.mark.parametrize("version", VERSIONS)
def test_constraint_accepts_what_the_check_accepts(version: str) -> None:
    found = checks(version)
    assert len(found) > 5
    for name, (check, values) in found.items():
        validator = jsonschema.Draft7Validator(check.constraint(version))
        accepted = [value for value in values if check.problem(value, version) is None]
        assert [value for value in accepted if not validator.is_valid(value)] == [], name


@pytest.mark.parametrize("version", VERSIONS)
def test_half_a_character_is_no_fault_of_the_program(version: str) -> None:
    texts = ["\udc80" * 100, "/" + "\udc80" * 2000, "sha512-" + "\udc80" * 128, "\ud800.service"]
    for field in fields(root(version)):
        for check in (*field.checks, *field.each):
            if field.element is str:
                for text in texts:
                    check.problem(text, version)


def lengths(what: str, *numbers: int) -> list[str]:
    return [what * number for number in numbers]


GUID = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
WORDS = {"gzip": "3.1.0", "none": "3.0.0"}
A, B = "a" * 64, "b" * 128
# A check; values that it accepts; values that both it and its constraint refuse; values that only the check itself refuses.
EDGES: list[tuple[Check, list[str] | list[int], list[str] | list[int], list[str] | list[int]]] = [
    (kinds.NotEmpty("N1", "empty", ""), ["a", " "], [""], []),
    (kinds.OneOf("N1", "unknown", WORDS), ["", "gzip", "none"], ["gzi", "GZIP"], []),
    (kinds.MustBeOneOf("N1", "unknown", WORDS), ["gzip", "none"], ["", "x"], []),
    (kinds.AtMostBytes("N1", "label", 4), ["", "abcd", "éé"], ["abcde"], ["ééé"]),
    (kinds.Without("N1", ":", "has a colon", ""), ["", "a;b"], ["a:b", ":"], []),
    (kinds.AbsolutePath("N1"), ["", "/", "/a/../b/"], ["a", "dev/a"], []),
    (kinds.AbsolutePath("N1", simplest="N2"), ["", "/", "/a.b/.c"], ["a", "/a/", "//a", "/a/.", "/a/../b"], []),
    (kinds.FitsKernel("N1"), ["/" + "a" * 255, "/a" * 2047], ["/a" * 2048], ["/" + "a" * 256, "/é" * 1400]),
    (kinds.Guid("N1"), ["", GUID, GUID.upper()], [GUID[1:], f"{GUID}0", f"{{{GUID}}}"], []),
    (kinds.Mode("N1"), [0, 0o7777], [-1, 0o10000], []),
    (kinds.NotNegative("N1", "size"), [0, 1], [-1], []),
    (kinds.Between("N1", "priority", 2, 5), [2, 5], [1, 6], []),
    (kinds.Url("R6"), ["", "data:,x", "HTTPS://a", "s3://b/k"], ["a", "ftp://a", "/a"], ["http://a b"]),
    (kinds.HttpUrl("I1", "I2", "the proxy's"), ["http://a", "HTTPS://a"], ["", "a", "ftp://a", "httpx://a"], ["http://[a"]),
    (kinds.Digest("V1", functions={"sha512": "3.0.0", "sha256": "3.1.0"}), [f"sha512-{B}", f"sha256-{A}"],
        ["", "sha512", f"md5-{A}", f"sha512-{B}b", f"sha512-{A}", f"sha256-{A[1:]}"], [f"sha256-{A[1:]}é"]),
    (kinds.UnitName("U1", "no unit", ("service", "mount")), ["a.service", "a.b.mount"], ["", "a", "a.servicex", "aservice"], []),
    (kinds.DropinName("U2"), ["a.conf", ".conf"], ["", "conf", "a.conf.bak"], []),
    (kinds.AttributeBit("E1"), ["0", "2", "48", "63", "GUID:48", "GUID:63", "RequiredPartition", "NoBlockIOProtocol",
        "LegacyBIOSBootable"], ["", "3", "47", "64", "GUID:0", "GUID:2", "GUID:64", "048", "requiredpartition", "guid:59"], []),
    (kinds.IsJson("C1", "config", ""), ["", "{}", "[1]"], [], ["{", "x"]),
]  # fmt: skip


@pytest.mark.parametrize("check, right, wrong, odd", EDGES, ids=[type(row[0]).__name__ for row in EDGES])
def test_edges_of_a_check(
    check: Check, right: list[str] | list[int], wrong: list[str] | list[int], odd: list[str] | list[int]
) -> None:
    validator = jsonschema.Draft7Validator(check.constraint("3.5.0"))
    assert [value for value in right if check.problem(value, "3.5.0") or not validator.is_valid(value)] == []
    assert [value for value in wrong if not check.problem(value, "3.5.0") or validator.is_valid(value)] == []
    assert [value for value in odd if not check.problem(value, "3.5.0") or not validator.is_valid(value)] == []


@pytest.mark.parametrize(
    "check, values",
    [
        (kinds.Given("N1", "absent", "give it"), ["", None, 0]),
        (kinds.MustBeOneOf("N1", "unknown in {version}", WORDS), [None]),
        (kinds.Between("N1", "priority", 2, 5, demands=True), [None]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_required_member(check: Check, values: list[object]) -> None:
    assert check.demands
    for value in values:
        problem = check.problem(value, "3.0.0")
        assert problem and problem[2] == "N1"


def test_source_that_is_required() -> None:
    check = kinds.WithSource("R1", "R2", since="3.1.0")
    problems = [check.problem(Resource(source=source), "3.5.0") for source in (None, "", "ftp://a", "data:,x")]
    assert [problem and problem[2] for problem in problems] == ["R1", "R1", "R2", None]
    validator = jsonschema.Draft7Validator(check.constraint("3.5.0"))
    assert [validator.is_valid(one) for one in ({}, {"source": ""}, {"source": None}, {"source": "a"})] == [False] * 3 + [True]


@pytest.mark.parametrize(
    "value, rule, message",
    [
        ("sha512", "R11", "hash has no function: the - is missing"),
        (f"md5-{A}", "R12", "hash function is not sha512 or sha256"),
        ("sha512-ab", "R13", "digest has 2 characters instead of 128 for sha512"),
    ],
)
def test_problem_of_a_hash(value: str, rule: str, message: str) -> None:
    check = kinds.Digest("R11", "R12", "R13", functions={"sha512": "3.0.0", "sha256": "3.1.0"})
    problem = check.problem(value, "3.5.0")
    assert problem and (problem[0], problem[2]) == (message, rule)
    old = check.problem(f"sha256-{A}", "3.0.0")
    assert old and (old[0], old[2]) == ("hash function is not sha512", "R12")


@pytest.mark.parametrize(
    "path, fix",
    [
        *(
            (one, f"write /dev/{one}")
            for one in "sda sda1 vdb xvda2 hdc nvme0n1 nvme0n1p2 mmcblk0 mmcblk0p1 md0 md/a mapper/a".split()
        ),
        ("disk/by-label/a", "write /dev/disk/by-label/a"),
        ("dev/sda", "write /dev/sda"),
        ("md", "write /md"),
        ("sd", "write /sd"),
        ("etc/a", "write /etc/a"),
    ],
)
def test_device_without_its_directory(path: str, fix: str) -> None:
    problem = kinds.AbsolutePath("D1").problem(path, "3.5.0")
    assert problem == ("path is not absolute", fix, "D1")


@pytest.mark.parametrize(
    "check, value, message, fix",
    [
        (kinds.AtMostBytes("N1", "label", 4), "ééé", "label is longer than 4 bytes", "shorten it by 2 bytes"),
        (kinds.SpecVersion("I1"), "3.4.0", "version is not 3.5.0", "write 3.5.0"),
        (
            kinds.NotPlainHttp("I7"),
            "http://a",
            "the proxy for https is reached over plain http",
            "use an https:// proxy URL if the proxy has one",
        ),
    ],
)
def test_problem_and_fix(check: Check, value: str, message: str, fix: str) -> None:
    assert check.problem(value, "3.5.0") == (message, fix, check.rules[0])


@pytest.mark.parametrize("value, warned", [("https://a", False), ("HTTP://a", True), ("http://[a", False), ("a", False)])
def test_proxy_over_plain_http(value: str, *, warned: bool) -> None:
    assert bool(kinds.NotPlainHttp("I7").problem(value, "3.5.0")) == warned


@pytest.mark.parametrize("mode, warned", [(0o777, False), (0o1000, True), (0o2000, True), (0o4755, True)])
def test_special_bits(mode: int, *, warned: bool) -> None:
    assert bool(kinds.NoSpecialBits("X1").problem(mode, "3.5.0")) == warned
