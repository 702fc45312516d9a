"""`coreos-install`: write a verified disk image to a disk, with the config for its first boot.

The flags are those of Container Linux's coreos-install where they mean the same; --append-karg, --copy-network and
--keep-partitions are named after coreos-installer's. Source: bin/coreos-install of github.com/coreos/init. Unlike it: a local
image is verified as well, a disk with data is refused, and a disk whose installation did not complete does not boot.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ignition.cli.flags import DIRECTORIES, FILES, PFLAG, Flag, UsageError, wants_colour
from ignition.cli.program import FAILED, SUCCESS, Program
from ignition.errors import Failure
from ignition.host import log, progress
from ignition.host.printable import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ignition.cli.program import Values
    from ignition.installing.image import Image
    from ignition.installing.operations import NetworkFile
    from ignition.installing.plan import Options
    from ignition.installing.source import Source
    from ignition.installing.target import Target
    from ignition.operation import Operation
    from ignition.storage.gpt import Entry, Table

NAME = "coreos-install"
CHANGES, LOSES_DATA, USAGE = 2, 3, 64
_NETWORK_DIRECTORIES = ("/run/systemd/network", "/etc/systemd/network")
_NETWORK_SUFFIXES = (".network", ".netdev", ".link")
_LARGEST = 1 << 20  # bytes of one file of networkd
_WIDTH = 100


def _oem(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        raise ValueError(f"{text!r} is not the name of a platform")
    return text


PROGRAM = Program(
    NAME,
    "write a verified disk image to a disk, with a config for its first boot",
    (
        Flag("device", "", "disk to install to", value="DEVICE", short="d", offers=FILES),
        Flag("smallest", False, "install to the smallest unused disk of at least 10 GB", short="s"),
        Flag("ignition", "", "Ignition config for the first boot, put on OEM", value="CONFIG", short="i", offers=FILES),
        Flag("cloud-config", "", "cloud-config, put on ROOT and applied at every boot", value="CONFIG", short="c", offers=FILES),
        Flag("oem", "", "platform of the installed machine, such as ec2; part of the image's name with -b", value="OEM",
             short="o", parse=_oem),
        Flag("image-file", "", "image in a file; FILE.sig is its signature", value="FILE", short="f", offers=FILES),
        Flag("image-url", "", "URL of the image; URL.sig is its signature", value="URL", short="u"),
        Flag("base-url", "", "URL of a mirror: the image is BASEURL/VERSION/coreos_production_[OEM_]image.bin.bz2",
             value="BASEURL", short="b"),
        Flag("image-version", "current", "version on the mirror", value="VERSION", short="V"),
        Flag("key-file", (), "file of trusted keys, in place of those in /etc/coreos-install/keys and"
             " /usr/share/coreos-install/keys; may be repeated", value="FILE", short="k", offers=FILES),
        Flag("insecure", False, "install an image without a signature"),
        Flag("append-karg", (), "kernel argument for every boot; may be repeated", value="ARGUMENT"),
        Flag("copy-network", False, "copy networkd's files of this system to ROOT", short="n"),
        Flag("network-dir", (), f"directory for --copy-network; may be repeated (default {', '.join(_NETWORK_DIRECTORIES)})",
             value="DIRECTORY", offers=DIRECTORIES),
        Flag("keep-partitions", (), "keep these partitions, which begin behind the image's last one: a number, a range (5-7, 5-)"
             " or a pattern of labels; may be repeated",
             value="PARTITION"),
        Flag("overwrite", False, "install to a disk that holds data, which is lost"),
        Flag("plan", False, "show what would be done and lost, and change nothing"),
        Flag("verbose", False, "show each step", short="v"),
    ),
    manual="coreos-install(8)",
    usage=("-d DEVICE|-s -f FILE|-u URL|-b BASEURL [-i CONFIG] [options]",),
    dialect=PFLAG,
    operands=None,
    original="coreos-install of Container Linux 2512.3.0",
    usage_status=USAGE,
    statuses={
        SUCCESS: "the disk is installed",
        FAILED: "refused before anything was changed, or failed: the disk does not boot then",
        CHANGES: "with --plan: the disk would be installed, and nothing is lost",
        LOSES_DATA: "with --plan: data would be lost",
        USAGE: "invalid usage",
    },
)  # fmt: skip


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Plan, show and install."""
    _check(values)
    if os.geteuid() != 0:
        raise Failure("only root can read and write disks", fix="run it as root")
    log.configure(stage="", to_stdout=False, identifier=NAME)
    log.echo(_echo(log.DEBUG if values["verbose"] else log.WARNING))
    _say_progress()
    from ignition.installing import plan as planning
    from ignition.installing import target as targets

    options = _options(values)
    target = targets.probe(values["device"] or targets.smallest())
    kept = targets.kept(target.table, values["keep-partitions"], target.node)
    if not values["plan"]:
        planning.refuse(target, kept, overwrite=values["overwrite"])
    with _image(values) as image:
        new = image.table(target.sector_size, target.sectors)
        by_number = targets.kept(target.table, filter(targets.is_numeric, values["keep-partitions"]), target.node)
        table = planning.new_table(target, new, kept, frozenset(by_number))
        operations = planning.plan(target, image, table, kept, options)
        if values["plan"]:
            return _show(target, image, table, kept, operations)
        _run(operations)
    print(f"{target.node} is installed. Remove the medium that this system was started from, and reboot.")
    return SUCCESS


def _check(values: Values) -> None:
    """Raises UsageError for flags that do not go together."""
    if bool(values["device"]) == values["smallest"]:
        raise UsageError("either -d DEVICE or -s is required")
    sources = [name for name in ("image-file", "image-url", "base-url") if values[name]]
    if len(sources) != 1:
        raise UsageError("exactly one of -f FILE, -u URL and -b BASEURL is required")
    if values["insecure"] and values["key-file"]:
        raise UsageError("-k and --insecure exclude each other")
    if values["network-dir"] and not values["copy-network"]:
        raise UsageError("--network-dir needs --copy-network")
    if any(not argument.strip() for argument in values["append-karg"]):
        raise UsageError("--append-karg: an argument is empty")


def _options(values: Values) -> Options:
    """All additions to the image, read and checked. Raises Failure."""
    from ignition.boot_loader.kernel_arguments import MAGIC, Wanted
    from ignition.installing.plan import Options

    Wanted(values["append-karg"])  # raises Failure for one that no boot loader can pass on
    for argument in values["append-karg"]:
        if argument.partition("=")[0] in MAGIC:
            raise Failure(f"--append-karg {argument}: reserved for the boot loader", fix="leave it out: the image has its flag")
    return Options(
        config=_ignition_config(values["ignition"]) if values["ignition"] else None,
        cloud_config=_cloud_config(values["cloud-config"]) if values["cloud-config"] else None,
        oem=values["oem"],
        arguments=values["append-karg"],
        network=_network(values["network-dir"] or _NETWORK_DIRECTORIES) if values["copy-network"] else {},
    )


def _ignition_config(path: str) -> bytes:
    from ignition.rendering.parsing import invalid, read_text

    content = _read(path)
    _, parsed = read_text(content, path)
    if parsed.report.fatal:
        raise invalid(parsed.report, path)
    if parsed.config is None:
        raise Failure("not an Ignition config", where=path, fix="pass a cloud-config by -c")
    return content


def _cloud_config(path: str) -> bytes:
    from ignition.cloudinit import user_data
    from ignition.cloudinit.validate import validate
    from ignition.rendering.parsing import invalid

    content = _read(path)
    text = user_data.unpacked(content)
    if user_data.kind(text) == user_data.IGNITION:
        raise Failure("an Ignition config", where=path, fix="pass it by -i")
    report = validate(path, text)
    if report.fatal:
        raise invalid(report, path)
    return content


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"the config cannot be read: {error.strerror}", where=path, fix="check the path") from error


def _network(directories: Sequence[str]) -> dict[str, NetworkFile]:
    """networkd's files of this system, drop-ins included; one of an earlier directory hides those of its name. Raises Failure."""
    from ignition.installing.operations import NetworkFile

    found: dict[str, NetworkFile] = {}
    for directory in directories:
        for parent, _, names in sorted(os.walk(directory)):
            inside = os.path.relpath(parent, directory)
            is_dropin = inside.endswith(tuple(f"{suffix}.d" for suffix in _NETWORK_SUFFIXES))
            for name in sorted(names):
                wanted = name.endswith(".conf") if is_dropin else inside == "." and name.endswith(_NETWORK_SUFFIXES)
                path = os.path.join(parent, name)
                if wanted and os.path.isfile(path):  # a link to /dev/null masks a file
                    with open(path, "rb") as file:
                        is_public = bool(os.fstat(file.fileno()).st_mode & 0o004)
                        content = NetworkFile(file.read(_LARGEST), is_public=is_public)
                    found.setdefault(os.path.normpath(os.path.join(inside, name)), content)
    if not found:
        raise Failure("--copy-network: there are no files of networkd", where=", ".join(directories), fix="leave it out")
    return found


@contextmanager
def _image(values: Values) -> Iterator[Image]:
    """The image, as far as its head. A local one has been verified as a whole by then."""
    from ignition.installing import image as images
    from ignition.installing import signature
    from ignition.installing.source import LocalImage

    keys = None if values["insecure"] else signature.keyring(values["key-file"] or signature.key_files())
    with ExitStack() as stack:
        source = _source(values, stack)
        if isinstance(source, LocalImage) and keys is not None:
            log.info(f"{source.where} is signed by {images.verify(source, keys)}")
        yield stack.enter_context(images.opened(source, keys))


def _source(values: Values, stack: ExitStack) -> Source:
    from ignition.installing.source import LocalImage, RemoteImage, settings

    if values["image-file"]:
        return LocalImage(values["image-file"])
    from ignition.fetch.http import Client
    from ignition.fetch.retry import Clock

    url = values["image-url"] or image_url(values["base-url"], values["image-version"], values["oem"])
    client = Client(settings(os.environ), dict, Clock())
    stack.callback(client.close)
    return RemoteImage(client, url)


def image_url(base: str, version: str, oem: str) -> str:
    """The image's URL on a mirror of Container Linux's layout."""
    return f"{base.rstrip('/')}/{version}/coreos_production_{f'{oem}_' if oem else ''}image.bin.bz2"


def _show(target: Target, image: Image, table: Table, kept: Mapping[int, Entry], operations: Sequence[Operation]) -> int:
    """Print the plan; returns the exit status."""
    from ignition.display import terminal
    from ignition.installing import plan as planning

    by_entry = {entry: number for number, entry in table.entries.items()}
    new = {by_entry[entry]: entry for entry in kept.values()}
    colour = wants_colour(sys.stdout)
    lines = terminal.disk_lines(planning.view(target, table, kept, new, image.name), _WIDTH, colour)
    print("\n".join([*lines, "", *(message(f"  {operation.describe()}") for operation in operations), ""]))
    gone = planning.lost(target, kept)
    for what in gone:
        print(terminal.painted(message(f"lost: {what}"), terminal.RED, colour))
    if target.user:
        print(message(f"refused as long as the disk is in use ({target.user})"))
    elif gone:
        print("refused without --overwrite")
    return FAILED if target.user else LOSES_DATA if gone else CHANGES


def _run(operations: Sequence[Operation]) -> None:
    """Execute them on the open disk. Raises Failure."""
    from ignition.host import paths
    from ignition.host.root import Root
    from ignition.installing.operations import RUN, DiskOperation
    from ignition.operation import Context, Runner

    os.makedirs(RUN, exist_ok=True)
    (disk,) = {operation.disk for operation in operations if isinstance(operation, DiskOperation)}
    context = Context(Root.live(), None)  # type: ignore[arg-type]  # nothing is fetched by operations
    with disk.hold(), Runner(NAME, os.path.join(RUN, paths.OPERATIONS)) as runner:
        try:
            runner.run(operations, context)
        except Failure as failure:
            if runner.done:
                failure.fix = "; ".join(filter(None, [failure.fix, f"{disk.node} does not boot now: install it again"]))
            raise


def _echo(most: int) -> Callable[[int, str], None]:
    def show(priority: int, text: str) -> None:
        if priority <= most and priority > log.CRITICAL:  # failures are shown as the last line anyway
            print(f"{NAME}: {message(text)}", file=sys.stderr)

    return show


def _say_progress() -> None:
    """Lines about the transfer: on a terminal the first one after a second, elsewhere (a unit, a serial console) every 10 s."""
    if sys.stderr.isatty():
        progress.for_people(NAME)
    else:
        progress.to(lambda text: print(f"{NAME}: {text}", file=sys.stderr, flush=True), about_work=True)


if __name__ == "__main__":
    sys.exit(main())
