"""Units, drop-ins, masks and presets, with the machine's own systemctl where it is asked."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from ignition.config.model import Systemd
from ignition.config.model.systemd import Dropin, Unit
from ignition.errors import Failure, Unmet
from ignition.operation import Context
from ignition.sysroot import units
from ignition.sysroot.presets import enable_lines, split_instance

from .conftest import MakeContext

UNITS = "/etc/systemd/system"
PRESET = "/etc/systemd/system-preset/20-ignition.preset"
INSTALLABLE = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"


def apply(context: Context, *wanted: Unit) -> list[str]:
    """Carry the plan out; returns what was done, without what was there already."""
    done = []
    for operation in units.plan(Systemd(units=wanted)):
        if not operation.already_there(context):
            operation.execute(context)
            done.append(operation.describe())
    return done


def text(context: Context, path: str) -> str:
    return Path(context.root.path + path).read_text()


def test_unit_and_dropins_are_written(make_context: MakeContext) -> None:
    context = make_context({})
    unit = Unit(
        name="a.service",
        contents="[Unit]\n",
        dropins=(Dropin(name="1.conf", contents="[Service]\n"), Dropin(name="2.conf", contents=""), Dropin(name="3.conf")),
    )
    apply(context, unit)
    assert text(context, f"{UNITS}/a.service") == "[Unit]\n"
    assert text(context, f"{UNITS}/a.service.d/1.conf") == "[Service]\n"
    assert text(context, f"{UNITS}/a.service.d/2.conf") == ""
    assert sorted(os.listdir(context.root.path + f"{UNITS}/a.service.d")) == ["1.conf", "2.conf"]
    assert stat.S_IMODE(os.stat(context.root.path + f"{UNITS}/a.service").st_mode) == 0o644
    assert apply(context, unit) == []


@pytest.mark.parametrize("contents", [None, ""])
def test_unit_without_contents_writes_no_file(make_context: MakeContext, contents: str | None) -> None:
    context = make_context({f"{UNITS}/a.service": "kept"})
    apply(context, Unit(name="a.service", contents=contents))
    assert text(context, f"{UNITS}/a.service") == "kept"


def test_contents_replace_a_symlink_and_not_what_it_points_to(make_context: MakeContext) -> None:
    context = make_context({f"{UNITS}/a.service": "-> /usr/lib/b.service", "/usr/lib/b.service": "kept"})
    apply(context, Unit(name="a.service", contents="new"))
    assert text(context, f"{UNITS}/a.service") == "new"
    assert text(context, "/usr/lib/b.service") == "kept"


def test_directory_in_the_place_of_a_unit_is_a_failure(make_context: MakeContext) -> None:
    context = make_context({f"{UNITS}/a.service/": ""})
    with pytest.raises(Failure) as caught:
        apply(context, Unit(name="b.service"), Unit(name="a.service", contents="x"))
    assert (caught.value.where, caught.value.what) == ("$.systemd.units.1", f"{UNITS}/a.service is a directory")


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        pytest.param({}, Unit(name="a.service", mask=True), "-> /dev/null", id="mask"),
        pytest.param({}, Unit(name="a.service", mask=True, contents="x"), "-> /dev/null", id="mask beats contents"),
        pytest.param({f"{UNITS}/a.service": "old"}, Unit(name="a.service", mask=True), "-> /dev/null", id="mask replaces"),
        pytest.param({f"{UNITS}/a.service": "-> /dev/null"}, Unit(name="a.service", mask=False), None, id="unmask"),
        pytest.param({f"{UNITS}/a.service": "kept"}, Unit(name="a.service", mask=False), "kept", id="unmask of a unit file"),
        pytest.param({f"{UNITS}/a.service": "-> /x"}, Unit(name="a.service", mask=False), "-> /x", id="unmask of another link"),
        pytest.param({f"{UNITS}/a.service": "-> /dev/null"}, Unit(name="a.service"), "-> /dev/null", id="neither"),
        pytest.param(
            {f"{UNITS}/a.service": "-> /dev/null"},
            Unit(name="a.service", mask=False, contents="x"),
            "x",
            id="unmask and write",
        ),
    ],
)
def test_mask(make_context: MakeContext, before: dict[str, str], unit: Unit, after: str | None) -> None:
    context = make_context(before)
    apply(context, unit)
    path = context.root.path + f"{UNITS}/a.service"
    found = (
        f"-> {os.readlink(path)}"
        if os.path.islink(path)
        else text(context, f"{UNITS}/a.service")
        if os.path.exists(path)
        else None
    )
    assert found == after
    assert apply(context, unit) == []


def test_unit_name_with_dots_and_slashes_stays_in_the_root(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context({})
    apply(context, Unit(name="../../../../../../../../outside.service", contents="x"))
    assert text(context, "/outside.service") == "x"
    assert os.listdir(tmp_path) == ["root"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        pytest.param("a.service", ("a.service", ""), id="no template"),
        pytest.param("a@.service", ("a@.service", ""), id="template"),
        pytest.param("a@x.service", ("a@.service", "x"), id="instance"),
        pytest.param("a@x@y.z.service", ("a@.service", "x@y.z"), id="instance with signs"),
        pytest.param("a@dev-sda1.swap", ("a@.swap", "dev-sda1"), id="another type"),
    ],
)
def test_instances_are_told_apart(name: str, parts: tuple[str, str]) -> None:
    assert split_instance(name) == parts


def test_enabled_instances_share_a_line() -> None:
    wanted = tuple(Unit(name=name, enabled=True) for name in ("a@y.service", "b.service", "a@x.service")) + (
        Unit(name="c.service"),
    )
    assert list(enable_lines(wanted).values()) == ["enable a@.service y x", "enable b.service"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, "enable B.service\nenable a.service\n", id="new file, byte order"),
        pytest.param({PRESET: "enable z.service\n"}, "enable z.service\nenable B.service\nenable a.service\n", id="appended"),
        pytest.param({PRESET: "enable z.service"}, "enable z.service\nenable B.service\nenable a.service\n", id="no last break"),
        pytest.param({PRESET: "enable a.service\n"}, "enable a.service\nenable B.service\n", id="one is there already"),
    ],
)
def test_presets_are_added_once(make_context: MakeContext, before: dict[str, str], after: str) -> None:
    context = make_context(before)
    wanted = (Unit(name="a.service", enabled=True), Unit(name="B.service", enabled=True))
    apply(context, *wanted)
    assert text(context, PRESET) == after
    assert apply(context, *wanted) == []


def test_nothing_to_enable_writes_no_preset(make_context: MakeContext) -> None:
    context = make_context({})
    apply(context, Unit(name="a.service", contents="x"))
    assert not os.path.exists(context.root.path + PRESET)


def test_enabled_unit_is_disabled_and_each_is_listed(make_context: MakeContext) -> None:
    wants = f"{UNITS}/multi-user.target.wants"
    context = make_context(
        {
            "/usr/lib/systemd/system/on.service": INSTALLABLE,
            "/usr/lib/systemd/system/off.service": INSTALLABLE,
            f"{wants}/on.service": "-> /usr/lib/systemd/system/on.service",
        }
    )
    wanted = (
        Unit(name="on.service", enabled=False),
        Unit(name="off.service", enabled=False),
        Unit(name="z.service", enabled=True),
    )
    assert apply(context, *wanted) == [f"write presets to {PRESET}", "disable unit on.service"]
    assert text(context, PRESET) == "disable off.service\ndisable on.service\nenable z.service\n"
    assert not os.path.lexists(context.root.path + f"{wants}/on.service")
    assert apply(context, *wanted) == []


def test_instance_is_disabled_by_its_own_name(make_context: MakeContext) -> None:
    wants = f"{UNITS}/multi-user.target.wants"
    context = make_context(
        {
            "/usr/lib/systemd/system/a@.service": INSTALLABLE,
            f"{wants}/a@x.service": "-> /usr/lib/systemd/system/a@.service",
            f"{wants}/a@y.service": "-> /usr/lib/systemd/system/a@.service",
        }
    )
    apply(context, Unit(name="a@x.service", enabled=False))
    assert os.listdir(context.root.path + wants) == ["a@y.service"]
    assert text(context, PRESET) == "disable a@x.service\n"


def test_disabling_interrupted_after_the_preset_is_finished(make_context: MakeContext) -> None:
    wants = f"{UNITS}/multi-user.target.wants"
    context = make_context(
        {
            "/usr/lib/systemd/system/on.service": INSTALLABLE,
            f"{wants}/on.service": "-> /usr/lib/systemd/system/on.service",
            PRESET: "disable on.service\n",
        }
    )
    assert apply(context, Unit(name="on.service", enabled=False)) == ["disable unit on.service"]


@pytest.mark.parametrize(
    ("before", "units", "after"),
    [
        pytest.param("disable a.service\n", {"a.service": True}, "enable a.service\n", id="disabled before"),
        pytest.param("enable a.service\n", {"a.service": False}, "disable a.service\n", id="enabled before"),
        pytest.param("# ours\nenable *\n\n", {"a.service": False}, "# ours\nenable *\n\ndisable a.service\n", id="others stay"),
        pytest.param(
            "enable a@.service x y\n",
            {"a@x.service": False},
            "enable a@.service y\ndisable a@x.service\n",
            id="one of two instances",
        ),
        pytest.param("enable a@.service x\n", {"a@x.service": False}, "disable a@x.service\n", id="the only instance"),
        pytest.param("disable a@x.service\n", {"a@x.service": True}, "enable a@.service x\n", id="instance disabled before"),
        pytest.param(
            "enable a@.service x\n", {"a@.service": False}, "enable a@.service x\ndisable a@.service\n", id="a template"
        ),
    ],
)
def test_line_that_says_the_contrary_goes(make_context: MakeContext, before: str, units: dict[str, bool], after: str) -> None:
    context = make_context({PRESET: before})
    wanted = [Unit(name=name, enabled=enabled) for name, enabled in units.items()]
    apply(context, *wanted)
    assert text(context, PRESET) == after
    assert apply(context, *wanted) == []


IMAGE = "/usr/lib/systemd/system"


@pytest.mark.parametrize(
    ("tree", "name", "links"),
    [
        pytest.param({"a.service": INSTALLABLE}, "a.service", {"multi-user.target.wants/a.service": "a.service"}, id="plain"),
        pytest.param(
            {"a@.service": INSTALLABLE}, "a@x.service", {"multi-user.target.wants/a@x.service": "a@.service"}, id="an instance"
        ),
        pytest.param(
            {"a@.service": INSTALLABLE + "DefaultInstance=one\n"},
            "a@.service",
            {"multi-user.target.wants/a@one.service": "a@.service"},
            id="the default instance of a template",
        ),
        pytest.param({"a@.service": INSTALLABLE}, "a@.service", {}, id="a template alone"),
        pytest.param(
            {"a.service": INSTALLABLE + "Alias=b.service\nAlso=a.socket\n", "a.socket": "[Install]\nWantedBy=sockets.target\n"},
            "a.service",
            {
                "b.service": "a.service",
                "multi-user.target.wants/a.service": "a.service",
                "sockets.target.wants/a.socket": "a.socket",
            },
            id="alias and also",
        ),
        pytest.param({"a.service": "-> /dev/null"}, "a.service", {}, id="masked by the image"),
        pytest.param({"a.service": "[Service]\n"}, "a.service", {}, id="static"),
        pytest.param({}, "a.service", {}, id="nowhere"),
    ],
)
def test_links_of_an_enabled_unit(make_context: MakeContext, tree: dict[str, str], name: str, links: dict[str, str]) -> None:
    merged = {"/lib": "-> usr/lib", f"{UNITS}/": ""}
    context = make_context({**merged, **{f"{IMAGE}/{path}": content for path, content in tree.items()}})
    with suppress(Unmet):
        apply(context, Unit(name=name, enabled=True))
    top = Path(context.root.path + UNITS)
    assert {str(path.relative_to(top)): os.readlink(path) for path in top.rglob("*") if path.is_symlink()} == {
        link: f"{IMAGE}/{target}" for link, target in links.items()
    }
    if links:
        assert apply(context, Unit(name=name, enabled=True)) == []


def test_unit_that_the_config_masks_and_enables_is_masked(make_context: MakeContext) -> None:
    context = make_context({f"{IMAGE}/a.service": INSTALLABLE})
    assert "enable unit a.service" not in apply(context, Unit(name="a.service", enabled=True, mask=True))
    assert os.listdir(context.root.path + UNITS) == ["a.service"]


def test_alias_is_disabled_with_its_unit(make_context: MakeContext) -> None:
    unit = INSTALLABLE + "Alias=sshd.service\n"
    context = make_context(
        {
            f"{IMAGE}/ssh.service": unit,
            f"{UNITS}/sshd.service": f"-> {IMAGE}/ssh.service",
            f"{UNITS}/multi-user.target.wants/ssh.service": f"-> {IMAGE}/ssh.service",
        }
    )
    assert "disable unit ssh.service" in apply(context, Unit(name="ssh.service", enabled=False))
    assert os.listdir(context.root.path + UNITS) == []


def said(context: Context, unit: Unit) -> str:
    """The warnings about a unit."""
    found = []
    for operation in [*units.plan(Systemd(units=(unit,))), *units.checks((unit,))]:
        if not operation.already_there(context):
            try:
                operation.execute(context)
            except Unmet as unmet:
                found.append(unmet.what)
    return " ".join(found)


DROPIN = (Dropin(name="a.conf", contents="[Service]\n"),)
NOWHERE = ": its drop-ins have no effect, unless a generator of the image makes it"


@pytest.mark.parametrize(
    ("tree", "unit", "words"),
    [
        pytest.param({}, Unit(name="a.service", dropins=DROPIN), f"the new root has no unit a.service{NOWHERE}", id="drop-in"),
        pytest.param(
            {},
            Unit(name="a.timer", enabled=True),
            "the new root has no unit a.timer: nothing starts it, unless a generator of the image makes it",
            id="enabled",
        ),
        pytest.param(
            {f"{IMAGE}/a.service": "-> /dev/null"}, Unit(name="a.service", enabled=True), "unit a.service is masked", id="masked"
        ),
        pytest.param(
            {f"{IMAGE}/a.service": "-> /dev/null"}, Unit(name="a.service", dropins=DROPIN), "", id="drop-in of a masked one"
        ),
        pytest.param(
            {f"{IMAGE}/a@.service": INSTALLABLE},
            Unit(name="a@.service", enabled=True),
            "a@.service is a template without DefaultInstance=",
            id="template",
        ),
        pytest.param(
            {f"{IMAGE}/a.service": INSTALLABLE, f"{UNITS}/multi-user.target.wants": "a file"},
            Unit(name="a.service", enabled=True),
            "Not a directory",
            id="file in the way",
        ),
        pytest.param(
            {f"{IMAGE}/a.service": INSTALLABLE + "Alias=b.service\n", f"{UNITS}/b.service": "[Service]\n"},
            Unit(name="a.service", enabled=True),
            f"{UNITS}/b.service already exists",
            id="alias in the way",
        ),
        pytest.param({}, Unit(name="a.service", dropins=(Dropin(name="a.conf"),)), "", id="drop-in without contents"),
        pytest.param({}, Unit(name="a.service", enabled=False), "", id="disabled"),
        pytest.param({}, Unit(name="a.service", enabled=True, mask=True), "", id="masked by the config"),
        pytest.param({f"{IMAGE}/a.service": "[Service]\n"}, Unit(name="a.service", enabled=True), "", id="static"),
        pytest.param({f"{IMAGE}/a@.service": ""}, Unit(name="a@x.service", dropins=DROPIN), "", id="instance of a template"),
        pytest.param({"/run/systemd/generator/a.service": "x"}, Unit(name="a.service", dropins=DROPIN), "", id="generated"),
        pytest.param(
            {f"{IMAGE}/b.service": "[Install]\nAlias=x.service a.service\n"},
            Unit(name="a.service", dropins=DROPIN),
            "",
            id="alias to be",
        ),
        pytest.param(
            {
                f"{IMAGE}/b.service": INSTALLABLE + "Alias=a.service\n",
                f"{UNITS}/a.service": f"-> {IMAGE}/b.service",
                f"{UNITS}/multi-user.target.wants/b.service": f"-> {IMAGE}/b.service",
            },
            Unit(name="a.service", enabled=True),
            "",
            id="alias of an enabled unit",
        ),
        pytest.param({}, Unit(name="data.mount", enabled=True), "", id="mount, which fstab may have"),
        pytest.param({}, Unit(name="dev-vda2.swap", dropins=DROPIN), "", id="swap"),
        pytest.param({}, Unit(name="system-a.slice", dropins=DROPIN), "", id="slice"),
        pytest.param({}, Unit(name="a-.service", dropins=DROPIN), "", id="all units with a prefix"),
        pytest.param({"/etc/init.d/a": "#!/bin/sh\n"}, Unit(name="a.service", enabled=True), "", id="script of SysV"),
        pytest.param({"/etc/containers/systemd/a.container": ""}, Unit(name="a.service", enabled=True), "", id="quadlet"),
        pytest.param({"/var/lib/extensions/a.raw": ""}, Unit(name="a.service", enabled=True), "", id="system extension"),
        pytest.param(
            {"/etc/extensions/a.raw": "-> /opt/a.raw"}, Unit(name="a.service", enabled=True), "", id="extension elsewhere"
        ),
    ],
)
def test_unit_without_effect(make_context: MakeContext, tree: dict[str, str], unit: Unit, words: str) -> None:
    assert said(make_context({"/etc/": "", **tree}), unit) == words
