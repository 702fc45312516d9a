"""Files for Podman's systemd generator. Source: docs/reference/config-transpiler.md §B9; podman-systemd.unit(5)."""

from ignition.config.model.storage import File, Link
from ignition.config.report import Path
from ignition.transpile.butane import resources
from ignition.transpile.butane.model import Document, Dropin, Quadlet
from ignition.transpile.butane.nodes import EXISTS, EXISTS_FIX, Nodes
from ignition.transpile.butane.work import Work, made
from ignition.transpile.contents import content_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Node

TYPES = (".container", ".volume", ".network", ".kube", ".image", ".build", ".pod", ".artifact")
_SYSTEM, _USERS = "/etc/containers/systemd", "/etc/containers/systemd/users"
_MODE = 0o644


def template_of(name: str) -> str:
    """The file that an instance of a template links to: `a@b.container` → `a@.container`; "" for what is no instance."""
    base, at, rest = name.partition("@")
    instance, _, extension = rest.rpartition(".")
    return f"{base}@.{extension}" if at and instance else ""


def put_in(work: Work, document: Document, nodes: Nodes) -> None:
    """Put all quadlets into the nodes, errors into the work."""
    for index, quadlet in enumerate(document.systemd.quadlets):
        path: Path = ("systemd", "quadlets", index)
        target = f"{_SYSTEM if quadlet.rootful else _USERS}/{quadlet.name}"
        template = template_of(quadlet.name)
        if template:
            _put(work, nodes, made(Link, path, path=target, target=template), path)
        else:
            _put_file(work, nodes, target, quadlet, path)
        for number, dropin in enumerate(quadlet.dropins):
            _put_file(work, nodes, f"{target}.d/{dropin.name}", dropin, (*path, "dropins", number))


def _put_file(work: Work, nodes: Nodes, target: str, source: Quadlet | Dropin, path: Path) -> None:
    content: bytes | None = b""
    there = path
    if source.contents_local:
        there = (*path, "contents_local")
        content = work.read(source.contents_local, there)
    elif source.contents:
        there = (*path, "contents")
        content = content_of(source.contents)
    if content is not None:
        chosen = File.FIELDS["contents"].element.of(resources.encoded(work, content, None, there))
        _put(work, nodes, made(File, path, path=target, mode=_MODE, contents=chosen), path)


def _put(work: Work, nodes: Nodes, node: "Node", path: Path) -> None:
    if nodes.at(node.path) is not None:
        work.error(path, f"{EXISTS}: {node.path}", EXISTS_FIX)
    else:
        nodes.put(node)
