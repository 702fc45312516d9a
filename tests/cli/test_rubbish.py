"""Every program in every surrounding: no trace, no "this is a bug in", whatever is missing, closed, full, unreadable or odd."""

import json
import subprocess
from pathlib import Path

import pytest

from tests import programs
from tests.programs import ENVIRONMENT, MODULES

NEVER = (b"Traceback", b"this is a bug in", b"Exception ignored", b"most recent call last")
STAGES = ("fetch-offline", "fetch", "kargs", "mount", "files", "umount")
FILES_OF_A_STAGE = "-root={top}/root -config-cache={top}/c -state-file={top}/s -neednet={top}/n"
# One call of each program that does something with its surroundings. {top} has files that a person may name.
CALLS = {
    "stage": ("ignition", f"-stage=fetch-offline -platform=file {FILES_OF_A_STAGE}"),
    "files": ("ignition", f"-stage=files -platform=file {FILES_OF_A_STAGE}"),
    "report": ("ignition", "report -root={top}/root"),
    "render": ("ignition", "render {top}/input"),
    "schema": ("ignition", "schema 3.5.0"),
    "validate": ("ignition-validate", "{top}/input"),
    "validate-json": ("ignition-validate", "-json {top}/input"),
    "butane": ("butane", "{top}/input"),
    "ct": ("ct", "-in-file={top}/input"),
    "cloudinit": ("coreos-cloudinit", "-from-file={top}/input -validate"),
    "metadata": ("coreos-metadata", "--provider=file --attributes={top}/out"),
    "metadata-cmdline": ("coreos-metadata", "--cmdline --attributes={top}/out"),
    "rmcfg": ("rmcfg", "-platform=file"),
    "kargs-helper": ("kargs-helper", "--help"),
}  # fmt: skip
SURROUNDINGS = {
    "streams-closed": ('"$@" <&- >&- 2>&-', {}),
    "input-closed": ('"$@" <&-', {}),
    "output-closed": ('"$@" >&-', {}),
    "errors-closed": ('"$@" 2>&-', {}),
    "errors-full": ('"$@" 2>/dev/full', {}),
    "both-full": ('"$@" >/dev/full 2>&1', {}),
    "empty-environment": ('exec env -i "$@"', {}),
    "language-c": ('exec "$@"', {"LC_ALL": "C"}),
    "language-posix": ('exec "$@"', {"LANG": "POSIX", "LC_ALL": "POSIX"}),
    "language-nonsense": ('exec "$@"', {"LC_ALL": "xx_YY.ISO-0"}),
    "odd-environment": ("exec env $'A\\xff=\\xfe' TERM= HOME=/nowhere COLUMNS=x NO_COLOR= \"$@\"", {}),
    "directory-removed": ('mkdir -p "$TOP/gone" && cd "$TOP/gone" && rmdir "$TOP/gone" && exec "$@"', {}),
    "files-limited": ('ulimit -f 0; trap "" XFSZ; exec "$@"', {}),
    "descriptors-limited": ('ulimit -n 12; exec "$@"', {}),
}


def place(tmp_path: Path) -> Path:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "input").write_text('{"ignition": {"version": "3.4.0"}}')
    return tmp_path


def check(done: "subprocess.CompletedProcess[bytes]") -> None:
    said = done.stdout + done.stderr
    assert [word for word in NEVER if word in said] == [], said.decode(errors="replace")
    assert done.returncode in {*range(4), 64, 141}, (done.returncode, said)  # 64: EX_USAGE of sysexits.h, 141: SIGPIPE


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
@pytest.mark.parametrize("call", CALLS)
def test_surroundings(tmp_path: Path, call: str, surrounding: str) -> None:
    top = place(tmp_path)
    program, words = CALLS[call]
    shell, environment = SURROUNDINGS[surrounding]
    given = {**ENVIRONMENT, **environment, "TOP": str(top), "IGNITION_CONFIG_FILE": str(top / "input")}
    check(programs.run(program, *words.format(top=top).split(), shell=shell, environment=given))


def nothing(path: Path) -> None:
    path.unlink()


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


FILES = {"nothing": nothing, "directory": directory, "loop": loop, "dangling": dangling}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("call", ["stage", "files", "render", "validate", "validate-json", "butane", "ct"])
def test_file_that_is_not_one(tmp_path: Path, call: str, what: str) -> None:
    top = place(tmp_path)
    FILES[what](top / "input")
    program, words = CALLS[call]
    done = programs.run(
        program, *words.format(top=top).split(), environment={**ENVIRONMENT, "IGNITION_CONFIG_FILE": str(top / "input")}
    )
    check(done)
    assert done.returncode == 1 or (call == "stage" and what in ("nothing", "dangling")), done


CONTENTS = {
    "empty": b"",
    "nul": b"\0" * 4096,
    "random": bytes(range(256)) * 16,
    "deep-json": b'{"ignition": {"version": "3.4.0"}, "x": ' + b"[" * 100_000,
    "deep-json-closed": b'{"ignition": {"version": "3.4.0"}, "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep-yaml": b"variant: flatcar\nversion: 1.1.0\nx: " + b"[" * 50_000,
    "deep-yaml-block": b"variant: flatcar\nversion: 1.1.0\nx:\n  " + b"- " * 50_000 + b"a\n",
    "alias-bomb": b"variant: flatcar\nversion: 1.1.0\na: &a [x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % (n, n, *[n - 1] * 8) for n in range(98, 115)),
    "long-number": b'{"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/a", "mode": ' + b"9" * 5000 + b"}]}}",
    "long-version": b"variant: flatcar\nversion: 1." + b"9" * 5000 + b".0\n",
    "long-version-json": b'{"ignition": {"version": "3.' + b"9" * 5000 + b'.0"}}',
    "huge-exponent": b'{"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/a", "mode": 1e999}]}}',
    "unicode-digits": '{"ignition": {"version": "3.4.0"}, "\u00b2": {"\u0661": [1]}}'.encode(),
    "surrogate": b'{"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/\\ud800"}]}}',
    "gzip": b"\x1f\x8b" + b"\0" * 100,
    "zstd": b"\x28\xb5\x2f\xfd" + b"\xff" * 100,
    "bom": b"\xef\xbb\xbf{}",
    "utf-16": '{"ignition": {}}'.encode("utf-16"),
    "carriage-returns": b"variant: flatcar\rversion: 1.1.0\r",
    "cloud-config": b"#cloud-config\n" + b"- " * 10_000,
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("call", ["stage", "render", "validate", "validate-json", "butane", "ct", "cloudinit"])
def test_contents(tmp_path: Path, call: str, content: str) -> None:
    top = place(tmp_path)
    (top / "input").write_bytes(CONTENTS[content])
    program, words = CALLS[call]
    given = {**ENVIRONMENT, "IGNITION_CONFIG_FILE": str(top / "input")}
    check(programs.run(program, *words.format(top=top).split(), environment=given))


@pytest.mark.parametrize("program", MODULES)
@pytest.mark.parametrize(
    "word", [b"\xff\xfe", b"-\xff", b"--\xff=\xfe", b"", b"-", b"--", b"---", b"x" * 100_000, b"-stage=\xff", "²".encode()]
)
def test_words(program: str, word: bytes) -> None:
    done = programs.run(program, word)
    check(done)


@pytest.mark.parametrize("program", MODULES)
def test_many_words(program: str) -> None:
    check(programs.run(program, *["-a"] * 3_000))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "cache",
    [b"", b"{", b"[]", b'{"ignition": 1}', b"\xff", b"[" * 100_000],
    ids=["empty", "cut-off", "list", "number", "not-utf-8", "deep"],
)
def test_stage_whose_cache_is_damaged(tmp_path: Path, stage: str, cache: bytes) -> None:
    top = place(tmp_path)
    (top / "c").write_bytes(cache)
    words = f"-stage={stage} -platform=file -root={top}/root -config-cache={top}/c -state-file={top}/s -neednet={top}/n"
    done = programs.run("ignition", *words.split(), environment={**ENVIRONMENT, "IGNITION_CONFIG_FILE": str(top / "input")})
    check(done)


@pytest.mark.root
@pytest.mark.parametrize(
    "mount",
    ["-t tmpfs -o ro none", "-t tmpfs -o size=4k,nr_inodes=2 none", "-t tmpfs -o size=4k none"],
    ids=["read-only", "no-inode", "full"],
)
@pytest.mark.parametrize("stage", ["fetch-offline", "files", "umount"])
def test_run_that_cannot_be_written(tmp_path: Path, stage: str, mount: str) -> None:
    top = place(tmp_path)
    files = [{"path": f"/opt/{number}", "contents": {"source": "data:," + "x" * 9000}} for number in range(3)]
    config = {"ignition": {"version": "3.4.0"}, "storage": {"files": files}}
    (top / "input").write_text(json.dumps(config))
    (top / "run").mkdir()
    fill = "" if "ro" in mount.split(",")[0] else f"head -c 4096 /dev/zero > {top}/run/x 2>/dev/null;"
    words = (
        f"-stage={stage} -platform=file -root={top}/root -config-cache={top}/run/c -state-file={top}/run/s -neednet={top}/run/n"
    )
    shell = f'mount {mount} {top}/run && {{ {fill} exec "$@"; }}'
    given = {**ENVIRONMENT, "IGNITION_CONFIG_FILE": str(top / "input")}
    done = programs.run("ignition", *words.split(), shell=shell, environment=given, unshare=("--mount",))
    check(done)
    assert done.returncode in (1, 3), done
