"""`ignition-validate -target`: what people are told."""

from pathlib import Path

import pytest

from ignition.cli.validate import main


def judged(
    text: str, targets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str], list[str]]:
    """Exit status, and the lines of both outputs."""
    monkeypatch.chdir(tmp_path)
    Path("a.ign").write_text(text)
    status = main([word for target in targets for word in ("-target", target)] + ["a.ign"])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err.splitlines()


def of(version: str) -> str:
    return f'{{"ignition": {{"version": "{version}"}}}}'


def test_version_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    targets = ["flatcar=3510.2.0", "fcos=42.20250929.3.0"]
    assert judged(of("3.3.0"), targets, tmp_path, monkeypatch, capsys) == (
        0,
        [],
        [
            "a.ign: valid (spec 3.3.0)",
            "a.ign: Flatcar 3510.2.0 takes spec 3.3.0: it has Ignition 2.14.0",
            "a.ign: Fedora CoreOS 42.20250929.3.0 takes spec 3.3.0: it has Ignition 2.20.0 to 2.25.0",
        ],
    )


def test_version_that_is_too_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(of("3.4.0"), ["flatcar=2605.12.0"], tmp_path, monkeypatch, capsys) == (
        1,
        [
            "a.ign:1:26: error: Flatcar 2605.12.0 does not take spec 3.4.0: it has Ignition 0.34.0, which takes specs 1"
            " and 2.0.0 to 2.3.0 [T1]",
            "  at $.ignition.version",
            '    1 | {"ignition": {"version": "3.4.0"}}',
            "      |                          ^~~~~~~",
            "  fix: write the config in spec 2.3.0 or older, or use release 3535.0.0 or newer",
        ],
        ["a.ign: valid (spec 3.4.0), not taken by Flatcar 2605.12.0: 1 error"],
    )


@pytest.mark.parametrize(
    "text, target, message, fix",
    [
        pytest.param(
            of("2.3.0"),
            "fcos=34.20210518.3.0",
            "Fedora CoreOS 34.20210518.3.0 does not take spec 2.3.0: it has Ignition 2.7.0 to 2.10.1, which takes"
            " specs 3.0.0 to 3.2.0",
            "write the config in spec 3.2.0 or older",
            id="never taken",
        ),
        pytest.param(
            of("3.3.0"),
            "fcos=34.20210518.3.0",
            "Fedora CoreOS 34.20210518.3.0 does not take spec 3.3.0: it has Ignition 2.7.0 to 2.10.1, which takes"
            " specs 3.0.0 to 3.2.0",
            "write the config in spec 3.2.0 or older, or use a release dated 20210629 or newer",
            id="taken later",
        ),
        pytest.param(
            '{"ignitionVersion": 1}',
            "fcos=34.20210518.3.0",
            "Fedora CoreOS 34.20210518.3.0 does not take spec 1: it has Ignition 2.7.0 to 2.10.1, which takes"
            " specs 3.0.0 to 3.2.0",
            "write the config in spec 3.2.0 or older",
            id="spec 1",
        ),
    ],
)
def test_refusal_says_what_is_taken(
    text: str,
    target: str,
    message: str,
    fix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = judged(text, [target], tmp_path, monkeypatch, capsys)
    [line] = [number for number, line in enumerate(out) if line.endswith(f"error: {message} [T1]")]
    assert (status, out[line + 4]) == (1, f"  fix: {fix}")


@pytest.mark.parametrize(
    "version, target, message, fix",
    [
        pytest.param(
            "3.5.0",
            "flatcar=4130.0.0",
            "it is not known whether Flatcar 4130.0.0 takes spec 3.5.0: it has Ignition 2.19.0 to 2.20.0, which takes specs 1,"
            " 2.0.0 to 2.4.0 and 3.0.0 to 3.4.0",
            "specs 1, 2.0.0 to 2.4.0 and 3.0.0 to 3.4.0 are sure to be taken",
            id="in a gap",
        ),
        pytest.param(
            "3.6.0",
            "flatcar=9999.0.0",
            "it is not known whether Flatcar 9999.0.0 takes spec 3.6.0: it has Ignition 2.24.0 or newer",
            "specs 1, 2.0.0 to 2.4.0 and 3.0.0 to 3.5.0 are sure to be taken",
            id="after the table",
        ),
        pytest.param(
            "2.0.0",
            "flatcar=1.0.0",
            "it is not known whether Flatcar 1.0.0 takes spec 2.0.0: it has Ignition 0.23.0 or older",
            "",
            id="before the table",
        ),
    ],
)
def test_what_is_not_known_is_a_warning(
    version: str,
    target: str,
    message: str,
    fix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = judged(of(version), [target], tmp_path, monkeypatch, capsys)
    assert (status, out[0]) == (0, f"a.ign:1:26: warning: {message} [T2]")
    assert out[4:] == ([f"  fix: {fix}"] if fix else [])
    assert err == [f"a.ign: valid (spec {version}): 1 warning"]


def test_translation_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = judged(of("2.3.0"), ["flatcar=3510.2.0", "flatcar=2605.0.0"], tmp_path, monkeypatch, capsys)
    assert err[1:] == [
        "a.ign: Flatcar 3510.2.0 takes spec 2.3.0: it has Ignition 2.14.0; it is translated to spec 3 there, and what"
        " cannot be is refused",
        "a.ign: Flatcar 2605.0.0 takes spec 2.3.0: it has Ignition 0.34.0",
    ]


@pytest.mark.parametrize("text", ["", "{", "{}", of("3.9.0")], ids=["empty", "no JSON", "no version", "unknown version"])
def test_config_without_a_known_version_gets_no_verdict(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = judged(text, ["flatcar=3510.2.0"], tmp_path, monkeypatch, capsys)
    assert status == 1
    assert "Flatcar" not in "\n".join(out + err)


def test_extensions_are_ignored_by_every_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '{"ignition": {"version": "3.3.0"}, "storage": {"x-coreos": {"swapFiles": [{"path": "/swap", "sizeMiB": 1}]}}}'
    status, out, err = judged(text, ["flatcar=3510.2.0", "fcos=42.20250929.3.0"], tmp_path, monkeypatch, capsys)
    assert status == 0
    ignores = "does not know x-coreos: its Ignition warns about it, and goes on without it [T3]"
    assert [line for line in out if line.endswith("]") and ".ign:" in line] == [
        "a.ign:1:48: info: x-coreos is an extension of this program: other programs warn about it and ignore it [W21]",
        f"a.ign:1:48: warning: Flatcar 3510.2.0 {ignores}",
        f"a.ign:1:48: warning: Fedora CoreOS 42.20250929.3.0 {ignores}",
    ]
    assert out.count("  at $.storage.x-coreos") == 3
    assert out.count("  fix: say it in another way, such as with a unit or a file") == 2
    assert err[0] == "a.ign: valid (spec 3.3.0): 1 info, 2 warnings"


MIXED = """{"ignition": {"version": "3.7.0-experimental"}, "storage": {"disks": [{"device": "/dev/a", "partitions": [
{"number": 1, "shouldExist": false},
{"label": "a"}]}]}}"""


@pytest.mark.parametrize(
    "release, status, message",
    [
        pytest.param(
            "44.20260520.3.0",
            1,
            "a.ign:3:2: error: Fedora CoreOS 44.20260520.3.0 refuses number 0 on a disk where a partition has shouldExist false:"
            " it has Ignition 2.26.0 [T4]",
            id="refuses",
        ),
        pytest.param(
            "44.20261020.3.0",
            0,
            "a.ign:3:2: warning: it is not known whether Fedora CoreOS 44.20261020.3.0 takes number 0 on a disk where a partition"
            " has shouldExist false: it has Ignition 2.26.0 or newer [T4]",
            id="not known",
        ),
    ],
)
def test_number_0_beside_an_absent_partition_depends_on_the_release(
    release: str, status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, _ = judged(MIXED, [f"fcos={release}"], tmp_path, monkeypatch, capsys)
    assert (found, message in out) == (status, True)
    assert "  fix: specify the number of the partition" in out
    without = judged(MIXED.replace("false", "true"), [f"fcos={release}"], tmp_path, monkeypatch, capsys)
    assert "T4" not in "\n".join(without[1])


YAML = [
    pytest.param("storage: {}\n", "fcos=42.20250929.3.0", "a.ign:1:1: error: Fedora CoreOS", id="container linux config"),
    pytest.param("variant: flatcar\nversion: 1.1.0\n", "flatcar=2605.12.0", "a.ign:2:10: error: Flatcar", id="butane"),
]


@pytest.mark.parametrize("text, target, said", YAML)
def test_yaml_whose_spec_is_not_taken(
    text: str, target: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = judged(text, [target], tmp_path, monkeypatch, capsys)
    assert status == 1 and out[0].startswith(said) and "does not take spec" in out[0]


USER = '"passwd": {"users": [{"name": "joe", "groups": ["sudo", "portage"], "uid": 500}]}'
GROUP = "user is a member of group portage: the config does not create it, and"


@pytest.mark.parametrize(
    ("targets", "advice"),
    [
        ([], [f"info: {GROUP} of known images only Flatcar has it [W23]"]),
        (["flatcar=4757.2.0"], ["warning: uid 500 belongs to core in the images of Flatcar: it cannot be assigned twice [W20]"]),
        (["fcos=42.20250929.3.0"], [f"warning: {GROUP} the image of Fedora CoreOS does not have it [W23]"]),
        (["fcos=42.20250929.3.0", "flatcar=4757.2.0"], [f"warning: {GROUP} the image of Fedora CoreOS does not have it [W23]"]),
    ],
    ids=["no target", "one that has it", "one that lacks it", "both"],
)
def test_what_the_image_has_is_asked_of_the_targets(
    targets: list[str], advice: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '{"ignition": {"version": "3.3.0"}, ' + USER + "}"
    _, out, _ = judged(text, targets, tmp_path, monkeypatch, capsys)
    assert [line.split(": ", 1)[1] for line in out if line.startswith("a.ign:")] == advice
