#!/usr/bin/env python3
"""Write the data files of ignition/config/advice from unpacked packages of systemd and others.

`collect.py TREE…`: each TREE is a root directory with unpacked packages (`dpkg -x`); several versions of systemd may be
given, the data has the options of all of them. The directives are the perfect-hash word lists in systemd's own binaries, which
come from its load-fragment-gperf.gperf.in, networkd-network-gperf.gperf, netdev-gperf.gperf and link-config-gperf.gperf; which
sections belong to .netdev files is read off systemd.netdev(5). A linker stores a word that another one ends in only once
(`Peer.Name` inside `WireGuardPeer.Name`): a section therefore also gets the options of all sections whose name ends in its own.
The lists of units that no package here has (Container Linux, Flatcar, Fedora CoreOS, …) are kept unchanged.
"""

import gzip
import json
import re
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TOP = Path(__file__).parents[2]
DATA, OUR_UNITS = TOP / "ignition/config/advice/data", TOP / "dracut/system"
WORD = re.compile(rb"(?<![\w.-])([A-Z0-9][A-Za-z0-9-]*)\.([A-Z][A-Za-z0-9]+)\0")
MANAGER, NETWORK, LINK = "libsystemd-core-*.so", "systemd-networkd", "udevadm"
UNIT_TYPES = ("service", "socket", "target", "device", "mount", "automount", "swap", "path", "timer", "slice", "scope")
SHARED = {"Match", "Bridge", "IPoIB", "CAN"}  # sections of .network files, too
FOREIGN = {"Exec"}  # not of unit files: the word list is also in a translation table of the manager
UNIT_SUFFIX = re.compile(r"\.(service|socket|target|mount|automount|swap|path|timer|slice)$")
Options = dict[str, set[str]]


def main(trees: list[Path]) -> None:
    """Read all trees, write both files."""
    manager, network, link = (options_of(trees, name) for name in (MANAGER, NETWORK, LINK))
    in_netdev = sections(trees, "systemd.netdev")
    add_merged(network, in_netdev | sections(trees, "systemd.network"))
    install = {"Unit": manager["Unit"], "Install": manager["Install"]}
    files = {kind: {**install, **own_section(manager, kind)} for kind in UNIT_TYPES}
    files["netdev"] = {name: keys for name, keys in network.items() if name.upper() in in_netdev}
    files["network"] = {name: keys for name, keys in network.items() if name not in files["netdev"] or name in SHARED}
    files["link"] = link
    write(
        "options.json", {kind: {name: " ".join(sorted(keys)) for name, keys in sorted(of.items())} for kind, of in files.items()}
    )
    units = json.loads((DATA / "units.json").read_text())
    units["packages"] = sorted(units_of(trees))
    units["coreos-ignition"] = sorted(path.name for path in OUR_UNITS.rglob("*") if UNIT_SUFFIX.search(path.name))
    write("units.json", units)


def own_section(manager: Options, kind: str) -> Options:
    """`service` → its [Service]."""
    name = kind.capitalize()
    return {name: manager[name]} if name in manager else {}


def options_of(trees: "Iterable[Path]", pattern: str) -> Options:
    """Section → options, of all binaries of that name."""
    found: Options = {}
    for tree in trees:
        for binary in tree.rglob(pattern):
            if binary.is_file() and not binary.is_symlink():
                for section, option in WORD.findall(b"\0" + binary.read_bytes()):
                    found.setdefault(section.decode(), set()).add(option.decode())
    for section, options in found.items():
        options.update(*(more for other, more in found.items() if other.endswith(section)))
    return {section: options for section, options in found.items() if section not in FOREIGN}


def add_merged(options: Options, documented: set[str]) -> None:
    """Sections all of whose words are the ends of others."""
    for name in documented - {section.upper() for section in options}:
        for other in [section for section in options if section.upper().endswith(name)]:
            options.setdefault(other[-len(name) :], set()).update(options[other])


def sections(trees: "Iterable[Path]", page_name: str) -> set[str]:
    """In upper case, as the manual page has them."""
    pages = [page for tree in trees for page in tree.rglob(f"{page_name}.5.gz")]
    texts = [gzip.decompress(page.read_bytes()).decode().replace("\\-", "-") for page in pages]
    return {name for text in texts for name in re.findall(r'^\.SH "\[([\w-]+)\] SECTION OPTIONS"', text, re.MULTILINE)}


def units_of(trees: "Iterable[Path]") -> set[str]:
    """The names of all unit files and aliases."""
    names = {path.name for tree in trees for path in tree.rglob("systemd/system/*")}
    return {name for name in names if UNIT_SUFFIX.search(name)}


def write(name: str, data: object) -> None:
    """JSON with one entry per line, so that changes show up line by line in a diff."""
    (DATA / name).write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
