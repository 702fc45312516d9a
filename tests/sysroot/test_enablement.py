"""Enablement of units: the same trees and the same words as the machine's own `systemctl --root`, and never outside the root."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root
from ignition.sysroot import enablement

ETC, RUN, LIB, LOCAL = "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/usr/local/lib/systemd/system"
WANTS = f"{ETC}/multi-user.target.wants"
SERVICE = "[Service]\nExecStart=/bin/true\n"


def installed(*lines: str) -> str:
    return f"{SERVICE}[Install]\n" + "".join(f"{line}\n" for line in lines)


WANTED = installed("WantedBy=multi-user.target")


def make(top: Path, tree: Mapping[str, str]) -> Path:
    """Path → content; `-> x` is a symlink, a path with a slash at its end a directory."""
    for path, content in {"/lib": "-> usr/lib", f"{LIB}/multi-user.target": "[Unit]\n", f"{ETC}/": "", **tree}.items():
        place = top / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        elif content.startswith("-> "):
            place.symlink_to(content[3:])
        else:
            place.write_text(content)
    return top


def listing(top: Path) -> dict[str, str]:
    """What is in a tree: directories, contents, targets."""
    found = {}
    for directory, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = Path(directory, name)
            inside = str(path.relative_to(top))
            found[inside] = f"-> {os.readlink(path)}" if path.is_symlink() else "" if path.is_dir() else path.read_text()
    return found


def systemctl(top: Path, verb: str, name: str) -> tuple[int, str]:
    argv = ["systemctl", f"--root={top}", verb, "--", name]
    # SysV scripts are another program's: systemctl(1), SYSTEMCTL_SKIP_SYSV.
    environment = {**os.environ, "SYSTEMCTL_SKIP_SYSV": "1", "LC_ALL": "C"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout.strip() if verb == "is-enabled" else done.stderr


def is_failure(status: int, words: str) -> bool:
    """Systemctl's status forgets a failure that follows a success (252, install_info_apply)."""
    failures = [line for line in words.splitlines() if line.startswith("Failed to ") and "auxiliary" not in line]
    return status != 0 or bool(failures)


def version_of_systemd() -> int:
    """0 without systemd."""
    if not shutil.which("systemctl"):
        return 0
    return int(subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1])


SYSTEMD = version_of_systemd()
needs_systemctl = pytest.mark.skipif(not SYSTEMD, reason="systemd is not installed")
# Only systemd before 255 can be built for a /lib apart from /usr, as Debian 12's is: its links lead to /lib.
MERGED = SYSTEMD >= 255
# Where systemd 252 removed the links with the unit's name, and 257 does nothing: linked, dangling and malformed units.
REFUSED = ("Refusing to operate on linked unit file", "is an unresolvable alias", "Bad message")

DRAWN = int(os.environ.get("ENABLEMENT_ROOTS", "12"))  # per block

# id → (tree, names to act on)
ROOTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "in /usr/lib": ({f"{LIB}/a.service": WANTED}, ("a.service",)),
    "in /usr/local/lib": ({f"{LOCAL}/a.service": WANTED}, ("a.service",)),
    "in /etc": ({f"{ETC}/a.service": WANTED}, ("a.service",)),
    "in /run": ({f"{RUN}/a.service": WANTED}, ("a.service",)),
    "in /etc over /usr/lib": ({f"{ETC}/a.service": installed("WantedBy=b.target"), f"{LIB}/a.service": WANTED}, ("a.service",)),
    "enabled": ({f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": f"-> {LIB}/a.service"}, ("a.service",)),
    "enabled in /lib": ({f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": "-> /lib/systemd/system/a.service"}, ("a.service",)),
    "relative": (
        {f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": "-> ../../../../usr/lib/systemd/system/a.service"},
        ("a.service",),
    ),
    "by hand": (
        {
            f"{LIB}/a.service": WANTED,
            f"{ETC}/b.target.wants/a.service": f"-> {LIB}/a.service",
            f"{ETC}/x.timer.requires/a.service": "-> ../y",
        },
        ("a.service",),
    ),
    "under another name": ({f"{LIB}/a.service": WANTED, f"{WANTS}/z.service": f"-> {LIB}/a.service"}, ("a.service", "z.service")),
    "wants and requires": ({f"{LIB}/a.service": installed("WantedBy=b.target c.target", "RequiredBy=d.target")}, ("a.service",)),
    "alias": ({f"{LIB}/a.service": installed("Alias=b.service c.service")}, ("a.service", "b.service")),
    "alias made": (
        {f"{LIB}/a.service": installed("Alias=b.service"), f"{ETC}/b.service": f"-> {LIB}/a.service"},
        ("a.service", "b.service"),
    ),
    "alias in the way": ({f"{LIB}/a.service": installed("Alias=b.service"), f"{ETC}/b.service": WANTED}, ("a.service",)),
    "alias of another": (
        {f"{LIB}/a.service": installed("Alias=b.service"), f"{LIB}/c.service": WANTED, f"{ETC}/b.service": f"-> {LIB}/c.service"},
        ("a.service", "b.service", "c.service"),
    ),
    "alias of the distribution": ({f"{LIB}/a.service": WANTED, f"{LIB}/b.service": "-> a.service"}, ("a.service", "b.service")),
    "alias of another type": ({f"{LIB}/a.service": installed("Alias=b.timer")}, ("a.service",)),
    "alias of itself": ({f"{LIB}/a.service": installed("Alias=a.service", "WantedBy=b.target")}, ("a.service",)),
    "alias as a folder": ({f"{LIB}/a.service": installed("Alias=b.target.wants/a.service")}, ("a.service",)),
    "alias of a mount": ({f"{LIB}/a.mount": "[Mount]\nWhat=x\n[Install]\nAlias=b.mount\nWantedBy=b.target\n"}, ("a.mount",)),
    "also": (
        {f"{LIB}/a.service": installed("Also=b.socket"), f"{LIB}/b.socket": "[Install]\nWantedBy=sockets.target\n"},
        ("a.service",),
    ),
    "also made": (
        {
            f"{LIB}/a.service": installed("Also=b.socket", "WantedBy=multi-user.target"),
            f"{LIB}/b.socket": "[Install]\nWantedBy=sockets.target\n",
            f"{ETC}/sockets.target.wants/b.socket": f"-> {LIB}/b.socket",
            f"{WANTS}/a.service": f"-> {LIB}/a.service",
        },
        ("a.service", "b.socket"),
    ),
    "also in a circle": (
        {
            f"{LIB}/a.service": installed("Also=b.service", "WantedBy=x.target"),
            f"{LIB}/b.service": installed("Also=a.service", "WantedBy=y.target"),
        },
        ("a.service", "b.service"),
    ),
    "also missing": ({f"{LIB}/a.service": installed("Also=b.service", "WantedBy=x.target")}, ("a.service",)),
    "also masked": (
        {f"{LIB}/a.service": installed("Also=b.service", "WantedBy=x.target"), f"{ETC}/b.service": "-> /dev/null"},
        ("a.service", "b.service"),
    ),
    "template": ({f"{LIB}/a@.service": WANTED}, ("a@.service", "a@x.service")),
    "template with default": (
        {f"{LIB}/a@.service": installed("DefaultInstance=core", "WantedBy=multi-user.target")},
        ("a@.service", "a@core.service", "a@x.service"),
    ),
    "instances made": (
        {
            f"{LIB}/a@.service": WANTED,
            f"{WANTS}/a@x.service": f"-> {LIB}/a@.service",
            f"{WANTS}/a@y.service": f"-> {LIB}/a@.service",
        },
        ("a@.service", "a@x.service", "a@z.service"),
    ),
    "template wanted by a template": ({f"{LIB}/a@.service": installed("WantedBy=b@.service")}, ("a@.service", "a@x.service")),
    "specifiers": (
        {f"{LIB}/a@.service": installed("WantedBy=%i.target %p-%j.target", "Alias=b-%i.service %p@.service")},
        ("a@x.service",),
    ),
    "file of an instance": (
        {f"{LIB}/a@.service": WANTED, f"{LIB}/a@x.service": installed("WantedBy=b.target")},
        ("a@x.service", "a@y.service"),
    ),
    "linked": ({"/opt/a.service": WANTED, f"{ETC}/a.service": "-> /opt/a.service"}, ("a.service",)),
    "linked and enabled": (
        {"/opt/a.service": WANTED, f"{ETC}/a.service": "-> /opt/a.service", f"{WANTS}/a.service": "-> /opt/a.service"},
        ("a.service",),
    ),
    "linked under another name": ({"/opt/b.service": WANTED, f"{ETC}/a.service": "-> /opt/b.service"}, ("a.service",)),
    "masked": (
        {f"{LIB}/a.service": WANTED, f"{ETC}/a.service": "-> /dev/null", f"{WANTS}/a.service": f"-> {LIB}/a.service"},
        ("a.service",),
    ),
    "masked in /run": ({f"{LIB}/a.service": WANTED, f"{RUN}/a.service": "-> /dev/null"}, ("a.service",)),
    "masked by an empty file": ({f"{LIB}/a.service": WANTED, f"{ETC}/a.service": ""}, ("a.service",)),
    "dangling": ({f"{WANTS}/a.service": f"-> {LIB}/a.service"}, ("a.service",)),
    "dangling alias": ({f"{ETC}/b.service": f"-> {LIB}/a.service"}, ("b.service", "a.service")),
    "missing": ({}, ("a.service", "a@x.service", "a@.service")),
    "static": ({f"{LIB}/a.service": SERVICE}, ("a.service",)),
    "without links but also": ({f"{LIB}/a.service": installed("Also=b.socket")}, ("a.service",)),
    "drop-in": ({f"{LIB}/a.service": SERVICE, f"{ETC}/a.service.d/1.conf": "[Install]\nWantedBy=b.target\n"}, ("a.service",)),
    "drop-in resets": (
        {f"{LIB}/a.service": WANTED, f"{ETC}/a.service.d/1.conf": "[Install]\nWantedBy=\nWantedBy=b.target\n"},
        ("a.service",),
    ),
    "drop-ins of the same name": (
        {
            f"{LIB}/a.service": SERVICE,
            f"{ETC}/a.service.d/1.conf": "[Install]\nWantedBy=b.target\n",
            f"{LIB}/a.service.d/1.conf": "[Install]\nWantedBy=c.target\n",
            f"{LIB}/a.service.d/2.conf": "[Install]\nRequiredBy=d.target\n",
        },
        ("a.service",),
    ),
    "drop-in of the template": (
        {f"{LIB}/a@.service": SERVICE, f"{ETC}/a@.service.d/1.conf": "[Install]\nWantedBy=b.target\n"},
        ("a@x.service", "a@.service"),
    ),
    "another link in the way": (
        {f"{LIB}/a.service": WANTED, f"{LIB}/b.service": WANTED, f"{WANTS}/a.service": f"-> {LIB}/b.service"},
        ("a.service", "b.service"),
    ),
    "file in the way": ({f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": "x"}, ("a.service",)),
    "runtime": ({f"{LIB}/a.service": WANTED, f"{RUN}/multi-user.target.wants/a.service": f"-> {LIB}/a.service"}, ("a.service",)),
    "by the distribution": (
        {f"{LIB}/a.service": WANTED, f"{LIB}/multi-user.target.wants/a.service": "-> ../a.service"},
        ("a.service",),
    ),
    "instance by the distribution": (
        {f"{LIB}/a@.service": WANTED, f"{LIB}/multi-user.target.wants/a@x.service": "-> ../a@.service"},
        ("a@x.service", "a@.service"),
    ),
    "loop": ({f"{ETC}/a.service": "-> b.service", f"{ETC}/b.service": "-> a.service"}, ("a.service",)),
    "quotes, comments and continued lines": (
        {
            f"{LIB}/a.service": installed(
                "WantedBy = 'b.target' \\",
                "# no",
                ' "c.target" \\',
                "; no",
                "  d.target",
                "Nonsense",
                "[X-A]",
                "WantedBy=z.target",
            )
        },
        ("a.service",),
    ),
    "same name in a search directory": ({f"{LIB}/a.service": WANTED, f"{ETC}/a.service": f"-> {LIB}/a.service"}, ("a.service",)),
    "generated": ({"/run/systemd/generator/a.service": WANTED}, ("a.service",)),
    "invalid name of who wants it": ({f"{LIB}/a.service": installed("WantedBy=b", "RequiredBy=c.target")}, ("a.service",)),
    "broken": (
        {f"{LIB}/a.service": "[Install\nWantedBy=b.target\n", f"{WANTS}/a.service": f"-> {LIB}/a.service"},
        ("a.service",),
    ),
    "empty folders": (
        {f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": f"-> {LIB}/a.service", f"{WANTS}/b.service": "-> /x"},
        ("a.service",),
    ),
    "target": ({f"{LIB}/a.target": "[Install]\nAlias=default.target\n"}, ("a.target",)),
    "every specifier": (
        {
            f"{LIB}/a-b@.service": installed(
                "WantedBy=%n.target %N.target %p.target %j.target %i.target 1%%2.target %u-%g-%U-%G.target"
            )
        },
        ("a-b@x.service",),
    ),
    "specifiers without an instance": (
        {f"{LIB}/a-b.service": installed("WantedBy=%n.target %N.target %p-%j%i.target")},
        ("a-b.service",),
    ),
    "specifier that depends on the machine": ({f"{LIB}/a.service": installed("WantedBy=%m.target b.target")}, ("a.service",)),
    "percent sign at the end": ({f"{LIB}/a.service": installed("WantedBy=b.target%")}, ("a.service",)),
    "alias of a template": (
        {f"{LIB}/a@.service": installed("Alias=b@.service", "WantedBy=c.target")},
        ("a@x.service", "a@.service", "b@x.service"),
    ),
    "alias of a template with default": (
        {f"{LIB}/a@.service": installed("Alias=b@.service", "DefaultInstance=core")},
        ("a@.service", "a@x.service"),
    ),
    "alias of another instance": ({f"{LIB}/a@.service": installed("Alias=b@y.service")}, ("a@x.service", "a@y.service")),
    "alias of a plain unit as an instance": ({f"{LIB}/a.service": installed("Alias=b@x.service")}, ("a.service",)),
    "alias as a folder of requirements": ({f"{LIB}/a.service": installed("Alias=b.target.requires/a.service")}, ("a.service",)),
    "alias as a folder of another unit": ({f"{LIB}/a.service": installed("Alias=b.target.wants/c.service")}, ("a.service",)),
    "alias as an unknown folder": ({f"{LIB}/a.service": installed("Alias=b.target/a.service")}, ("a.service",)),
    "alias as a folder of no unit": ({f"{LIB}/a.service": installed("Alias=b.wants/a.service")}, ("a.service",)),
    "alias with a specifier": ({f"{LIB}/a@.service": installed("Alias=%i.service")}, ("a@x.service",)),
    "template of a type that has none": ({f"{LIB}/a@.mount": "[Mount]\n[Install]\nWantedBy=b.target\n"}, ("a@x.mount",)),
    "drop-ins that do not count": (
        {
            f"{LIB}/a.service": SERVICE,
            f"{ETC}/a.service.d/.1.conf": "[Install]\nWantedBy=b.target\n",
            f"{ETC}/a.service.d/2.conf~": "[Install]\nWantedBy=c.target\n",
            f"{ETC}/a.service.d/3": "[Install]\nWantedBy=d.target\n",
        },
        ("a.service",),
    ),
    "drop-ins of an instance before those of its template": (
        {
            f"{LIB}/a@.service": SERVICE,
            f"{LIB}/a@x.service.d/1.conf": "[Install]\nWantedBy=b.target\n",
            f"{ETC}/a@.service.d/1.conf": "[Install]\nWantedBy=c.target\n",
            f"{RUN}/a@.service.d/2.conf": "[Install]\nWantedBy=d.target\n",
        },
        ("a@x.service", "a@y.service"),
    ),
    "drop-in of a masked unit": (
        {f"{ETC}/a.service": "-> /dev/null", f"{ETC}/a.service.d/1.conf": "[Install]\nWantedBy=b.target\n"},
        ("a.service",),
    ),
    "also with specifiers": (
        {
            f"{LIB}/a@.service": installed("Also=b@%i.socket c.socket"),
            f"{LIB}/b@.socket": "[Install]\nWantedBy=sockets.target\n",
            f"{LIB}/c.socket": "[Install]\nWantedBy=sockets.target\n",
        },
        ("a@x.service",),
    ),
    "also is not reset": (
        {f"{LIB}/a.service": installed("Also=b.socket", "Also="), f"{LIB}/b.socket": "[Install]\nWantedBy=sockets.target\n"},
        ("a.service",),
    ),
    "also of an alias": (
        {
            f"{LIB}/a.service": installed("Also=c.service", "WantedBy=x.target"),
            f"{LIB}/b.service": WANTED,
            f"{ETC}/c.service": f"-> {LIB}/b.service",
        },
        ("a.service",),
    ),
    "also of itself": ({f"{LIB}/a.service": installed("Also=a.service", "WantedBy=x.target")}, ("a.service",)),
    "default instance is masked": (
        {
            f"{LIB}/a@.service": installed("DefaultInstance=core", "WantedBy=b.target"),
            f"{ETC}/a@core.service": "-> /dev/null",
        },
        ("a@.service", "a@core.service", "a@x.service"),
    ),
    "default instance of what is no template": (
        {f"{LIB}/a.service": installed("DefaultInstance=core", "WantedBy=b-%i.target")},
        ("a.service",),
    ),
    "alias of an instance": (
        {f"{LIB}/a@.service": WANTED, f"{LIB}/b@.service": "-> a@.service", f"{LIB}/c@x.service": "-> a@x.service"},
        ("b@x.service", "b@.service", "c@x.service"),
    ),
    "alias in /run": ({f"{LIB}/a.service": WANTED, f"{RUN}/b.service": f"-> {LIB}/a.service"}, ("a.service", "b.service")),
    "linked in /run": ({"/opt/a.service": WANTED, f"{RUN}/a.service": "-> /opt/a.service"}, ("a.service",)),
    "links that do not count": (
        {
            f"{LIB}/a.service": WANTED,
            f"{WANTS}/.a.service": f"-> {LIB}/a.service",
            f"{WANTS}/a.service~": f"-> {LIB}/a.service",
            f"{ETC}/b.target.other/a.service": f"-> {LIB}/a.service",
        },
        ("a.service",),
    ),
    "words": (
        {
            f"{LIB}/a.service": installed(
                'WantedBy=b.target\tc.target \'d.target\'"e" "f.target"',
                "RequiredBy='g.target h.target",
                "RequiredBy=i\\x2dj.target \\\\",
                "RequiredBy=k.target",
                "wantedby=l.target",
                "=m.target",
            )
        },
        ("a.service",),
    ),
    "sections": (
        {
            f"{LIB}/a.service": "WantedBy=a.target\n[Unit]\nWantedBy=b.target\n [Install] \nWantedBy=c.target\n"
            "[install]\nWantedBy=d.target\n"
        },
        ("a.service",),
    ),
    "transient": ({"/run/systemd/transient/a.service": WANTED}, ("a.service",)),
    "generated early and late": (
        {"/run/systemd/generator.early/a.service": WANTED, "/run/systemd/generator.late/b.service": WANTED},
        ("a.service", "b.service"),
    ),
    "attached and controlled": (
        {
            "/etc/systemd/system.attached/a.service": WANTED,
            "/run/systemd/system.attached/b.service": WANTED,
            "/etc/systemd/system.control/c.service": WANTED,
            "/run/systemd/system.control/d.service": WANTED,
        },
        ("a.service", "b.service", "c.service", "d.service"),
    ),
    "in a folder of a folder": ({f"{LIB}/a.service": WANTED, f"{ETC}/x/y/a.service": f"-> {LIB}/a.service"}, ("a.service",)),
}
CASES = [pytest.param(tree, name, id=f"{case}: {name}") for case, (tree, names) in ROOTS.items() for name in names]


@needs_systemctl
@pytest.mark.parametrize(("tree", "name"), CASES)
def test_state_is_what_systemctl_says(tmp_path: Path, tree: dict[str, str], name: str) -> None:
    top = make(tmp_path, tree)
    status, word = systemctl(top, "is-enabled", name)
    found = enablement.state(Root(str(top)), name)
    assert (status == 0) == enablement.is_enabled(Root(str(top)), name)
    if word:
        assert found == word
    else:
        assert found in ("not-found", "bad")


@needs_systemctl
@pytest.mark.parametrize(("tree", "name"), CASES)
def test_disabling_leaves_the_tree_that_systemctl_leaves(tmp_path: Path, tree: dict[str, str], name: str) -> None:
    ours, theirs = make(tmp_path / "ours", tree), make(tmp_path / "theirs", tree)
    before = listing(ours)
    removed = enablement.disable(Root(str(ours)), name)
    _, said = systemctl(theirs, "disable", name)
    after = listing(ours)
    refused = SYSTEMD > 252 and any(words in said for words in REFUSED)
    assert listing(theirs) == (before if refused else after)
    assert sorted(removed) == sorted(f"/{path}" for path in before.keys() - after.keys() if before[path].startswith("-> "))


@needs_systemctl
@pytest.mark.parametrize(("tree", "name"), CASES)
def test_enabling_leaves_the_tree_that_systemctl_leaves(tmp_path: Path, tree: dict[str, str], name: str) -> None:
    ours, theirs = make(tmp_path / "ours", tree), make(tmp_path / "theirs", tree)
    try:
        enablement.enable(Root(str(ours)), name, merged=MERGED)
        failed = False
    except Failure:
        failed = True
    status, said = systemctl(theirs, "enable", name)
    assert failed == is_failure(status, said), said
    assert listing(ours) == listing(theirs)


@pytest.mark.parametrize(("tree", "name"), CASES)
@pytest.mark.parametrize("verb", [enablement.enable, enablement.disable])
def test_look_changes_nothing_and_names_the_links(
    tmp_path: Path, tree: dict[str, str], name: str, verb: Callable[..., list[str]]
) -> None:
    top = make(tmp_path, tree)
    before = listing(top)
    answers: list[list[str]] = []
    for only_look in (True, False):
        try:
            answers.append(verb(Root(str(top)), name, only_look=only_look))
        except Failure as failure:
            answers.append([failure.what])
        if only_look:
            assert listing(top) == before
    looked, done = answers
    if verb is enablement.enable:
        assert looked == done
    else:  # links to a link that goes are found when it has gone
        assert bool(looked) == bool(done) and set(looked) <= set(done)


@pytest.mark.parametrize(("merged", "lib"), [(True, LIB), (False, "/lib/systemd/system")])
def test_links_lead_to_usr_where_lib_is_a_link_to_it(tmp_path: Path, merged: bool, lib: str) -> None:
    top = make(tmp_path, {f"{LIB}/a.service": WANTED})
    assert enablement.enable(Root(str(top)), "a.service", merged=merged) == [f"{WANTS}/a.service"]
    assert os.readlink(top / WANTS.strip("/") / "a.service") == f"{lib}/a.service"
    split = tmp_path / "split"
    for path, content in ((f"{LIB}/b.service", SERVICE), ("/lib/systemd/system/a.service", WANTED), (f"{ETC}/", "")):
        make_one(split, path, content)
    enablement.enable(Root(str(split)), "a.service", merged=merged)
    assert os.readlink(split / WANTS.strip("/") / "a.service") == "/lib/systemd/system/a.service"


def make_one(top: Path, path: str, content: str) -> None:
    place = top / path.strip("/")
    (place if path.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
    if not path.endswith("/"):
        place.write_text(content)


@pytest.mark.parametrize(
    ("tree", "name", "nowhere"),
    [
        pytest.param({}, "a.service", True, id="nothing"),
        pytest.param({}, "a@x.service", True, id="no template"),
        pytest.param({f"{LIB}/a@.service": SERVICE}, "a@x.service", False, id="template"),
        pytest.param({f"{LIB}/a.service": SERVICE}, "a.service", False, id="unit"),
        pytest.param({f"{ETC}/a.service": "-> /dev/null"}, "a.service", False, id="masked"),
        pytest.param({}, "a.mount", False, id="mount of fstab"),
        pytest.param({}, "a.slice", False, id="slice"),
        pytest.param({}, "a.timer", True, id="timer"),
        pytest.param({}, "a", False, id="not a name"),
        pytest.param({}, "a-.service", False, id="drop-ins of a prefix"),
        pytest.param({"/etc/init.d/a": ""}, "a.service", False, id="SysV script"),
        pytest.param({"/etc/rc.d/init.d/a": ""}, "a.service", False, id="SysV script of Fedora"),
        pytest.param({"/etc/init.d/b": ""}, "a.service", True, id="another SysV script"),
        pytest.param({"/etc/containers/systemd/a.container": ""}, "a.service", False, id="quadlet"),
        pytest.param({"/usr/share/containers/systemd/a.container": ""}, "a.service", False, id="quadlet of the image"),
        *(
            pytest.param({f"{directory}/x.raw": ""}, "a.service", False, id=directory)
            for directory in ("/etc/extensions", "/var/lib/extensions", "/usr/lib/extensions", "/var/lib/confexts")
        ),
        pytest.param({"/etc/extensions/": ""}, "a.service", True, id="no extension"),
        pytest.param({f"{LIB}/b.service": installed("Alias='a.service' c.service")}, "a.service", False, id="alias"),
        pytest.param({f"{LIB}/b.service": installed("Alias=c.service a.service")}, "a.service", False, id="second alias"),
        pytest.param({f"{LIB}/b@.service": installed("Alias=a@.service")}, "a@x.service", False, id="alias of the template"),
        pytest.param({f"{LIB}/b.service": installed("Also=a.service")}, "a.service", True, id="no alias"),
        pytest.param({f"{LIB}/b.txt": installed("Alias=a.service")}, "a.service", True, id="alias in what is no unit"),
        pytest.param(
            {f"{LIB}/b.service": "[Install", f"{LIB}/c.service": installed("Alias=a.service")},
            "a.service",
            False,
            id="broken unit",
        ),
    ],
)
def test_unit_that_nothing_can_provide(tmp_path: Path, tree: dict[str, str], name: str, nowhere: bool) -> None:
    assert enablement.is_nowhere(Root(str(make(tmp_path, tree))), name) is nowhere


def test_alias_that_leads_nowhere_is_replaced(tmp_path: Path) -> None:
    """Unlike systemctl: it stands for nothing."""
    tree = {f"{LIB}/a.service": installed("Alias=b.service"), f"{ETC}/b.service": "-> /nowhere/c.service"}
    root = Root(str(make(tmp_path, tree)))
    assert enablement.enable(root, "a.service") == [f"{ETC}/b.service"]
    assert os.readlink(tmp_path / ETC.strip("/") / "b.service").endswith("/lib/systemd/system/a.service")


def test_drop_in_that_is_a_device_is_empty(tmp_path: Path) -> None:
    tree = {f"{LIB}/a.service": SERVICE, f"{ETC}/a.service.d/1.conf": "-> /dev/null"}
    tree |= {f"{LIB}/a.service.d/{number}.conf": f"[Install]\nWantedBy={number}.target\n" for number in (1, 2)}
    root = Root(str(make(tmp_path, tree)))
    assert enablement.enable(root, "a.service") == [f"{ETC}/2.target.wants/a.service"]


def test_link_to_an_alias_goes_with_it(tmp_path: Path) -> None:
    """Unlike systemctl, whatever the order of the directory."""
    tree = {f"{LIB}/a.service": WANTED, f"{ETC}/b.service": f"-> {LIB}/a.service", f"{ETC}/c.service": f"-> {ETC}/b.service"}
    root = Root(str(make(tmp_path, tree)))
    assert sorted(enablement.disable(root, "a.service")) == [f"{ETC}/b.service", f"{ETC}/c.service"]


def test_chain_of_64_links_is_followed_and_one_of_65_is_not(tmp_path: Path) -> None:
    links = {f"{ETC}/u{number}.service": f"-> u{number - 1}.service" for number in range(1, 66)}
    root = Root(str(make(tmp_path, {f"{ETC}/u0.service": WANTED, **links})))
    assert enablement.state(root, "u1.service") == "alias"
    assert enablement.state(root, "u65.service") == "bad"


def drawn(seed: int) -> tuple[dict[str, str], str]:
    """A root of a few names that refer to each other, and a name to act on."""
    draw = random.Random(seed)
    names = ("a.service", "b.service", "a@.service", "a@x.service", "c.target", "b.socket")
    folders = (ETC, ETC, LIB, LIB, LOCAL, RUN)
    wanting = ("multi-user.target", "c.target", "d@.target", "d@x.target", "a.service")
    tree: dict[str, str] = {}
    for _ in range(draw.randint(1, 4)):
        name, kind = draw.choice(names), draw.choice(("file", "file", "file", "link", "mask"))
        lines = []
        for key, values in (
            ("WantedBy", wanting),
            ("RequiredBy", wanting),
            ("Alias", names),
            ("Also", names),
            ("DefaultInstance", ("x", "y")),
        ):
            if draw.random() < 0.3:
                lines.append(f"{key}={' '.join(draw.sample(values, draw.randint(1, 2 if key != 'DefaultInstance' else 1)))}")
        content = {
            "file": installed(*lines),
            "mask": "-> /dev/null",
            "link": f"-> {draw.choice((*folders, '/opt'))}/{draw.choice(names)}",
        }[kind]
        tree[f"{draw.choice(folders)}/{name}"] = content
        if draw.random() < 0.2:
            tree[f"{draw.choice(folders)}/{name}.d/1.conf"] = "[Install]\n" + "".join(f"{line}\n" for line in lines)
    for _ in range(draw.randint(0, 3)):
        folder = f"{draw.choice((ETC, ETC, LIB, RUN))}/{draw.choice(wanting)}.{draw.choice(('wants', 'requires'))}"
        link = f"{folder}/{draw.choice(names)}"
        tree[link] = f"-> {draw.choice((LIB, ETC, '..', '/opt'))}/{draw.choice(names)}"
    return tree, draw.choice(names)


@needs_systemctl
@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_drawn_roots_end_as_with_systemctl(tmp_path: Path, verb: str, block: int) -> None:
    for seed in range(block * DRAWN, (block + 1) * DRAWN):
        tree, name = drawn(seed)
        ours, theirs = make(tmp_path / f"ours-{seed}", tree), make(tmp_path / f"theirs-{seed}", tree)
        word, said = systemctl(theirs, "is-enabled", name)[1], enablement.state(Root(str(ours)), name)
        assert said == word or (word == "" and said in ("not-found", "bad")), (seed, tree, name)
        try:
            if verb == "enable":
                enablement.enable(Root(str(ours)), name, merged=MERGED)
            else:
                enablement.disable(Root(str(ours)), name)
            failed = False
        except Failure:
            failed = True
        status, words = systemctl(theirs, verb, name)
        mine, other = listing(ours), listing(theirs)
        if verb == "disable":
            # Whether systemctl sees that a link led to the unit depends on the order of the directory: what it leaves dangles.
            dangling = {
                path for path in other.keys() - mine.keys() if (theirs / path).is_symlink() and not leads_somewhere(theirs, path)
            }
            other = {path: content for path, content in other.items() if path not in dangling}
            folders = {path for path in other.keys() - mine.keys() if any(left.startswith(f"{path}/") for left in dangling)}
            other = {path: content for path, content in other.items() if path not in folders}
        else:
            assert failed == is_failure(status, words), (seed, tree, name, words)
        assert mine == other, (seed, tree, name)


def leads_somewhere(top: Path, path: str) -> bool:
    root = Root(str(top))
    return os.path.exists(root.outside(root.follow(f"/{path}")))


# id → links of an image that lead out of it, or nowhere
HOSTILE = {
    "etc": {"/etc": "-> {outside}/etc"},
    "systemd": {"/etc/systemd": "-> {outside}/etc/systemd"},
    "system": {"/etc/systemd/system": "-> {outside}/etc/systemd/system"},
    "system, relative": {"/etc/systemd/system": "-> ../../../outside/etc/systemd/system"},
    "wants": {f"{ETC}/multi-user.target.wants": "-> {outside}/etc/systemd/system/multi-user.target.wants"},
    "lib": {"/lib": "-> {outside}/usr/lib", "/usr": "-> {outside}/usr"},
    "loop": {"/etc/systemd": "-> systemd"},
    "file": {"/etc/systemd": "x"},
}


@pytest.mark.parametrize("links", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("verb", ["enable", "disable", "is_enabled"])
def test_nothing_outside_the_root_is_read_or_changed(tmp_path: Path, links: dict[str, str], verb: str) -> None:
    outside, top = tmp_path / "outside", tmp_path / "root"
    make(outside, {f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": f"-> {LIB}/a.service"})
    before = listing(outside)
    (top / "usr/lib/systemd/system").mkdir(parents=True)
    for path, content in links.items():
        place = top / path.strip("/")
        if place.is_dir():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            place.symlink_to(content[3:].format(outside=outside))
        else:
            place.write_text(content)
    try:
        answer = getattr(enablement, verb)(Root(str(top)), "a.service")
    except Failure:
        answer = None
    assert listing(outside) == before
    assert not answer  # the unit is outside only


@pytest.mark.parametrize("special", ["fifo", "directory", "zero"])
def test_what_is_not_a_file_neither_hangs_nor_counts(tmp_path: Path, special: str) -> None:
    top = make(tmp_path, {f"{LIB}/": "", f"{WANTS}/a.service": f"-> {LIB}/a.service"})
    place = top / f"{LIB.strip('/')}/a.service"
    if special == "fifo":
        os.mkfifo(place)
    elif special == "directory":
        place.mkdir()
    else:
        with place.open("wb") as file:
            file.truncate(1 << 32)
    with pytest.raises(Failure):
        enablement.enable(Root(str(top)), "a.service")
    assert enablement.state(Root(str(top)), "a.service") == "bad"
    # What bears its name goes all the same.
    assert enablement.disable(Root(str(top)), "a.service") == [f"{WANTS}/a.service"]


@pytest.mark.parametrize(
    ("tree", "name", "message"),
    [
        pytest.param({}, "a.service", "unit a.service does not exist", id="missing"),
        pytest.param({f"{ETC}/a.service": "-> /dev/null"}, "a.service", "unit a.service is masked", id="masked"),
        pytest.param(
            {f"{LIB}/a@.service": WANTED}, "a@.service", "a@.service is a template without DefaultInstance=", id="template"
        ),
        pytest.param(
            {f"{LIB}/a.service": WANTED, f"{ETC}/b.service": f"-> {LIB}/a.service"},
            "b.service",
            "b.service is an alias or a linked unit file",
            id="alias",
        ),
        pytest.param(
            {f"{LIB}/a.service": WANTED, f"{WANTS}/a.service": "x"},
            "a.service",
            f"{WANTS}/a.service already exists",
            id="in the way",
        ),
        pytest.param(
            {f"{LIB}/a.service": installed("WantedBy=b")},
            "a.service",
            "WantedBy=b is not a valid unit name",
            id="wanted by nothing",
        ),
        pytest.param(
            {f"{LIB}/a.service": installed("Alias=b.timer")},
            "a.service",
            "Alias=b.timer cannot be an alias of a.service",
            id="alias of another type",
        ),
        pytest.param({}, "../a.service", "'../a.service' is not a valid unit name", id="path"),
        pytest.param({}, "--now", "'--now' is not a valid unit name", id="option"),
    ],
)
def test_what_cannot_be_enabled_says_why(tmp_path: Path, tree: dict[str, str], name: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        enablement.enable(Root(str(make(tmp_path, tree))), name)
    assert caught.value.what == message
    assert caught.value.fix


def test_upheld_units_get_their_folder(tmp_path: Path) -> None:
    # systemd 254; 252 does not know it.
    top = make(tmp_path, {f"{LIB}/a.service": installed("UpheldBy=b.target")})
    assert enablement.enable(Root(str(top)), "a.service") == [f"{ETC}/b.target.upholds/a.service"]
    assert enablement.enable(Root(str(top)), "a.service") == []
    assert enablement.disable(Root(str(top)), "a.service") == [f"{ETC}/b.target.upholds/a.service"]


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [
        pytest.param("a" * 247 + ".service", True, id="255 characters"),
        pytest.param("a" * 248 + ".service", False, id="256 characters"),
        pytest.param("a@b@c.service", True, id="instance with an at sign"),
        pytest.param("@.service", False, id="no prefix"),
        pytest.param(".service", False, id="type alone"),
        pytest.param("service", False, id="no type"),
        pytest.param("a.services", False, id="unknown type"),
        pytest.param("a b.service", False, id="blank"),
    ],
)
def test_name_of_a_unit(name: str, is_valid: bool) -> None:
    assert enablement.is_valid(name) is is_valid
