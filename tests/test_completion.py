"""What the shells offer while a command line is typed, each of them run with the scripts that `make install` writes."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition import platforms
from ignition.cli.ignition import STAGES
from ignition.cli.program import Program
from ignition.cli.programs import with_commands
from ignition.cli.schema import WRITTEN
from ignition.config.schema import VERSIONS
from ignition.transpile.ct import dynamic

TOP = Path(__file__).parent.parent
SHELLS = ("bash", "zsh", "fish")
GO_OPTIONS = {"-config-cache", "-fetch-timeout", "-log-to-stdout", "-neednet", "-platform", "-root", "-stage", "-state-file"}
FILES = {"a.bu", "b.ign", "dir/"}

# A line up to the cursor, and what is offered for its last word; a set of which all, or a word that must not be.
LINES = [
    (
        "ignition ",
        {
            "arm",
            "disarm",
            "doctor",
            "facts",
            "from-cloud-config",
            "grow",
            "outcome",
            "plan",
            "render",
            "report",
            "retry",
            "reset",
            "schema",
            "seal",
            "simulate",
            "status",
            "verify",
        },
    ),
    ("ignition re", {"report", "render", "reset", "retry"}),
    ("ignition -", {*GO_OPTIONS, "-version", "-help"}),
    ("ignition -s", {"-stage", "-state-file"}),
    ("ignition --s", {"--stage", "--state-file"}),
    ("ignition -stage ", set(STAGES)),
    ("ignition -stage f", {"fetch-offline", "fetch", "files"}),
    ("ignition -root / -stage=um", {"-stage=umount"}),
    ("ignition -stage fetch --platform vmw", {"vmware"}),
    ("ignition -root ", {"dir/"}),
    ("ignition -root report -", {*GO_OPTIONS, "-version", "-help"}),  # the value of an option is not a command
    ("ignition grow -", {"-log-to-stdout", "-root", "-state-file", "-version", "-help"}),
    ("ignition from-cloud-config ", FILES),
    ("ignition from-cloud-config user-data.yaml -d", {"-default-user", "-disk-size"}),
    ("ignition seal -pin ", {"sss", "tang", "tpm2"}),
    ("ignition seal -as=h", {"-as=header"}),
    ("ignition render ", FILES),
    ("ignition render -o", {"-origin"}),
    ("ignition render b.ign -base-dir ", {"dir/"}),
    ("ignition schema ", {*VERSIONS, "butane", "ct", "cloud-config", "assertions", *WRITTEN}),
    ("ignition schema butane ", {"fcos", "flatcar"}),
    ("ignition schema butane flatcar ", {"1.0.0", "1.1.0", "1.2.0-experimental"}),
    ("ignition schema butane fcos 1.6", {"1.6.0"}),
    ("ignition reset -keep ", {"machine-id", "network", "sizes", "ssh-host-keys"}),
    ("ignition reset --d", {"--dry-run"}),
    ("ignition status ", set()),
    ("ignition status -", {"-json", "-root", "-wait=", "-version", "-help"}),
    ("ignition-validate ", FILES),
    ("ignition-validate -target f", {"flatcar=", "fcos="}),
    ("ignition-validate -target=fc", {"-target=fcos="}),
    ("ignition-validate -color ", {"auto", "always", "never"}),
    ("ignition-validate -json -color=n", {"-color=never"}),
    ("butane a.bu --p", {"--pretty"}),
    ("butane --col", {"--color="}),
    ("butane --color=", {"--color=auto", "--color=always", "--color=never"}),
    ("butane --color ", FILES),  # without "=" it has no value
    ("butane -d ", {"dir/"}),
    ("butane --files-dir=", {"--files-dir=dir/"}),
    ("butane -o ", FILES),
    ("butane -q", set()),
    ("ct -platform ", set(dynamic.PLATFORMS)),
    ("ct -in-file ", FILES),
    ("coreos-metadata ", {"deny", "multi", "exp", "render-ignition"}),
    ("coreos-metadata exp ", {"rd-network-kargs"}),
    ("coreos-metadata exp rd-network-kargs --d", {"--default-value"}),
    ("coreos-metadata --provider ", set(platforms.known("metadata"))),
    ("coreos-metadata -provider=aw", {"-provider=aws"}),
    ("coreos-metadata multi --a", {"--attributes"}),
    ("coreos-metadata --ssh-keys roo", {"root"}),
    ("coreos-cloudinit --oem=vm", {"--oem=vmware"}),
    ("coreos-cloudinit -convert-netconf ", {"debian", "digitalocean", "packet", "vmware"}),
    ("coreos-cloudinit -ssh-key-name ", set()),
]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/usr/share as `make install` fills it."""
    share = tmp_path_factory.mktemp("share")
    subprocess.run(["/usr/bin/python3", "-BIS", str(TOP / "packaging/completion/generate.py"), str(share)], check=True)
    return share


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the person is."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "a.bu").touch()
    (folder / "b.ign").touch()
    (folder / "dir").mkdir()
    return folder


BASH = r"""
source "$1"; shift
compopt() { OPTIONS+=" $2"; }
COMP_LINE=$1 COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
"_${COMP_WORDS[0]//-/_}"
word=${COMP_WORDS[COMP_CWORD]}
[[ $word == [=:] ]] && word=
# What readline does of its own accord where nothing is offered.
if [ ${#COMPREPLY[@]} = 0 ]; then
    case $OPTIONS in
    *dirnames*) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    *default*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
fi
printf '%s\n' "${COMPREPLY[@]}"
"""


def offered_by_bash(scripts: Path, place: Path, line: str) -> set[str]:
    """With the words that readline makes of the line; what stands before the last of them is put in front again."""
    words = re.findall(r"[=:]|[^\s=:]+", line) + ([""] if line.endswith(" ") else [])
    script = scripts / "bash-completion/completions" / words[0]
    argv = ["bash", "--norc", "-c", BASH, "bash", str(script), line, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=place)
    assert done.stderr == ""
    last = line.rpartition(" ")[2]
    before = last.rpartition("=")[0] + "=" if "=" in last else ""
    return {f"{before}{with_slash(place, found)}" for found in done.stdout.split()}


def with_slash(place: Path, name: str) -> str:
    return f"{name}/" if (place / name).is_dir() else name


def offered_by_fish(scripts: Path, place: Path, line: str) -> set[str]:
    script = scripts / f"fish/vendor_completions.d/{line.partition(' ')[0]}.fish"
    argv = ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(script), line]
    environment = {**os.environ, "HOME": str(place.parent), "XDG_CONFIG_HOME": str(place.parent / "config")}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=place, env=environment)
    assert done.stderr == ""
    return {found.partition("\t")[0] for found in done.stdout.splitlines()}


# Notes what is offered. _describe asks compadd which of its words match, with -O, -A and -D.
ZSHRC = r"""
fpath=($SCRIPTS $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits
    builtin compadd -A hits "$@"
    local hit
    for hit in $hits; do
        print -r -- "$IPREFIX$hit" >> $NOTED
    done
    builtin compadd "$@"
}
finish() { print -r -- "= $BUFFER" >> $NOTED; BUFFER= }
zle -N finish
bindkey '^I' complete-word
bindkey '^F' finish
PROMPT=
LISTMAX=9999
unsetopt AUTO_MENU
"""


class Zsh:
    """An interactive one, as its completion works in no other."""

    def __init__(self, scripts: Path, place: Path, home: Path) -> None:
        (home / ".zshrc").write_text(ZSHRC)
        self._noted = home / "noted"
        self._noted.touch()
        self._place = place
        self._master, slave = pty.openpty()
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "HOME": str(home),
            "ZDOTDIR": str(home),
            "SCRIPTS": str(scripts / "zsh/site-functions"),
            "NOTED": str(self._noted),
        }
        argv = ["zsh", "-o", "NO_GLOBAL_RCS", "-i"]
        self._process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, cwd=place, env=environment, start_new_session=True
        )
        os.close(slave)

    def offered(self, line: str) -> set[str]:
        """Type the line and the tabulator key."""
        self._noted.write_text("")
        os.write(self._master, f"{line}\t\x06".encode())
        deadline = time.monotonic() + 120
        while f"= {line.split()[0]}" not in (text := self._noted.read_text()):
            assert time.monotonic() < deadline, text
            if select.select([self._master], [], [], 0.02)[0]:
                os.read(self._master, 65536)
        return {with_slash(self._place, found) if "=" not in found else self._valued(found) for found in text.splitlines()[:-1]}

    def _valued(self, found: str) -> str:
        option, _, value = found.partition("=")
        return f"{option}={with_slash(self._place, value)}" if value else found

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


@pytest.fixture(scope="module")
def zsh(scripts: Path, place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zsh]:
    shell = Zsh(scripts, place, tmp_path_factory.mktemp("home"))
    yield shell
    shell.end()


@pytest.mark.parametrize(("line", "words"), LINES, ids=[line for line, _ in LINES])
def test_bash_offers(scripts: Path, place: Path, line: str, words: set[str]) -> None:
    assert offered_by_bash(scripts, place, line) == words


@pytest.mark.parametrize(("line", "words"), LINES, ids=[line for line, _ in LINES])
def test_fish_offers(scripts: Path, place: Path, line: str, words: set[str]) -> None:
    assert offered_by_fish(scripts, place, line) == words


@pytest.mark.parametrize(("line", "words"), LINES, ids=[line for line, _ in LINES])
def test_zsh_offers(zsh: Zsh, line: str, words: set[str]) -> None:
    assert zsh.offered(line) == words


def test_bash_completes_what_is_typed(scripts: Path, place: Path, tmp_path: Path) -> None:
    """With readline, behind a terminal: names of files after `=`, with a blank, too."""
    (place / "some file.yaml").touch()
    (tmp_path / "rc").write_text(
        f"PS1=; source {scripts}/bash-completion/completions/ct; ct() {{ printf '<%s>' \"$@\"; exit; }}\n"
    )
    master, slave = pty.openpty()
    argv = ["bash", "--rcfile", str(tmp_path / "rc"), "-i"]
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, cwd=place, env=environment, start_new_session=True):
        os.close(slave)
        os.write(master, b"ct -pre\t -in-file=so\t--files-dir di\t -platform=va\t\n")
        text = b""
        try:
            while chunk := os.read(master, 65536):
                text += chunk
        except OSError:  # the terminal is closed with the shell
            pass
    os.close(master)
    (place / "some file.yaml").unlink()
    assert b"<-pretty><-in-file=some file.yaml><--files-dir><dir/><-platform=vagrant-virtualbox>" in text


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_what_their_shell_reads(shell: str, scripts: Path) -> None:
    found = [path for path in scripts.rglob("*") if path.is_file() and f"/{shell}" in str(path.relative_to(scripts.parent))]
    assert len(found) == 7
    for path in found:
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), path


def test_scripts_for_bash_please_shellcheck(scripts: Path) -> None:
    files = sorted(map(str, (scripts / "bash-completion/completions").iterdir()))
    done = subprocess.run(["shellcheck", *files], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("program", list(with_commands()), ids=lambda program: program.name)
def test_every_documented_flag_is_offered(program: Program, scripts: Path) -> None:
    name = program.name.split()[0]
    path = scripts / f"bash-completion/completions/{name}"
    if name in ("ignition-kargs-helper", "ignition-rmcfg"):
        assert not path.exists()
        return
    text = path.read_text()
    assert [flag.name for flag in program.shown_flags() if f"{program.dialect.dash}{flag.name}" not in text] == []
    assert [
        flag.name
        for flag in program.flags
        if flag.hidden and f"'{program.dialect.dash}{flag.name}\t" in text and name == "butane"
    ] == []


def test_shells_are_installed() -> None:
    assert [shell for shell in SHELLS if shutil.which(shell) is None] == [], "run .ci/setup"
