"""The checks of the original's validator, with its messages and in its order. Source: docs/reference/coreos-cloudinit.md §18.

Line numbers are the parser's, while the original searched the text: they are the same for block style, and correct for other
styles. Better: repeated keys have a warning, and the findings of one check are in the order of the document.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.cloudinit import files, user_data
from ignition.cloudinit.findings import Refused, placed
from ignition.cloudinit.model import CloudConfig
from ignition.cloudinit.reading import document_of
from ignition.cloudinit.services import Key, Section
from ignition.config.report import ERROR, INFO, WARNING, Entry, Finding, Path, Report
from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import Mapping, Node, Scalar, Sequence
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.yaml_text import Document

_ANY_NUMBER = (yaml_scalars.INT, yaml_scalars.FLOAT)
_FITTING = {
    "string": (yaml_scalars.STRING, yaml_scalars.BINARY, yaml_scalars.BOOL, *_ANY_NUMBER),
    "int": (yaml_scalars.INT,),
    "float64": _ANY_NUMBER,
    "bool": (yaml_scalars.BOOL,),
}


def validate(name: str, data: bytes, kind: str = "", *, is_thorough: bool = False) -> Report:
    """The report about user data, unpacked and before substitution. `kind`: of the user data, if it is known.

    `is_thorough`: also errors that the original noticed only when it applied them, and advice. This takes longer.
    """
    found = kind or user_data.kind(data)
    if found == user_data.UNKNOWN:
        fix = "make #cloud-config the first line, or begin a script with #!/bin/bash"
        return Report(source=name, entries=(Entry(level=ERROR, message=user_data.MUST_BE, line=1, column=1, fix=fix),))
    entries = _cloud_config(name, data, is_thorough=is_thorough) if found == user_data.CLOUD_CONFIG else ()
    return Report(source=name, entries=entries)


def _cloud_config(name: str, text: bytes, *, is_thorough: bool) -> tuple[Entry, ...]:
    try:
        document = document_of(name, text)
    except Refused as refused:
        report: Any = refused.report
        return tuple(report.entries)
    root = document.root
    # "#cloud-config" alone is valid and empty.
    if isinstance(root, Scalar) and root.kind == yaml_scalars.NULL:
        return tuple(_with_lines(text, _unread(document)))
    found = [
        *_discovery(root),
        *_encoding(root),
        *_structure(root, CloudConfig, (), ""),
        *_patterns(root, CloudConfig, ()),
        *_read_only(root),
        *_under_coreos(root),
    ]
    positions = document.positions()
    if is_thorough:
        more = list(_thorough(name, text, {_place_of(one.path) for one in found}))
        found += sorted(more, key=lambda one: positions.value(one.path))
    repeated = [
        *(
            Entry(
                level=WARNING, message=f'repeated key "{one.key}": the last one counts', fix="remove one of them", extent=one.span
            )
            for one in document.repeated
        ),
        *_unread(document),
    ]
    return (*placed(text, found, positions), *_with_lines(text, repeated))


def _thorough(name: str, text: bytes, said: set[Path]) -> Iterator[Finding]:
    """Errors on every machine, and advice, except at places that already have a finding (`said`)."""
    from ignition.cloudinit import advice, checks, reading, substitution

    read = reading.read(name, substitution.substitute(text, substitution.EXAMPLES))
    for one in read.in_document([*checks.of_any_machine(read.config), *advice.advise(read.config)]):
        if _place_of(one.path) not in said:
            yield one


def _place_of(path: Path) -> Path:
    """The place of a finding, for comparison: errors of an encoding are reported at the content."""
    return (*path[:-1], "content") if path[-1:] == ("encoding",) else path


def _unread(document: Document) -> list[Entry]:
    return [Entry(level=WARNING, message=one.message, fix=one.fix, extent=one.span) for one in [document.unread] if one]


def _with_lines(text: bytes, entries: list[Entry]) -> Iterator[Entry]:
    from ignition.config.text.positions import Lines

    lines = Lines(text)
    for entry in entries:
        line, column = lines.at(entry.extent[0] if entry.extent else 0)
        yield entry.evolve(line=line, column=column)


def _discovery(root: Node) -> Iterator[Finding]:
    path = ("coreos", "etcd", "discovery")
    node = _find(root, path)
    if isinstance(node, Scalar) and not _is_request_uri(node.text):
        yield Finding(WARNING, path, "discovery URL is not valid", "get one from https://discovery.etcd.io/new?size=3")


def _is_request_uri(text: str) -> bool:
    """Go's url.ParseRequestURI: an absolute path, or a URI with a scheme and something behind it, and no blank in its host."""
    if text.startswith("/"):
        return True
    head, colon, rest = text.partition(":")
    is_scheme = head[:1].isalpha() and all(one.isalnum() or one in "+-." for one in head)
    host = rest[2:].partition("?")[0].partition("/")[0] if rest.startswith("//") else ""
    return bool(colon) and is_scheme and head.isascii() and rest.startswith("/") and " " not in host


def _encoding(root: Node) -> Iterator[Finding]:
    for path, one in _elements(root, "write_files"):
        name, content = one.child("encoding"), one.child("content")
        if isinstance(name, Scalar):
            try:
                files.unpacked_length(content.text if isinstance(content, Scalar) else "", name.text)
            except Failure:
                place = (*path, "content") if content is not None else (*path, "encoding")
                yield Finding(ERROR, place, f'content cannot be decoded as "{name.text}"', "correct the content, or its encoding")


def _structure(node: Node, cls: type[Section], path: Path, name: str) -> Iterator[Finding]:
    if not isinstance(node, Mapping):
        yield Finding(WARNING, path, f'incorrect type for "{name}" (want struct)')
        return
    keys = cls.keys()
    for member, inner in node.members.items():
        one, place = keys.get(member), (*path, member)
        if one is None:
            from ignition.config.suggest import closest

            close = closest(member, tuple(keys))
            fix = f'did you mean "{close}"?' if close else ""
            yield Finding(WARNING, place, f'unrecognized key "{member}"', fix, at="key")
            continue
        if one.deprecated:
            yield Finding(WARNING, place, f'deprecated key "{member}" ({one.deprecated})', at="key")
        yield from _type(one, inner, place, member)


def _type(one: Key, node: Node, path: Path, name: str) -> Iterator[Finding]:
    if not one.many:
        yield from _single(one, node, path, name)
    elif not isinstance(node, Sequence):
        yield Finding(WARNING, path, f'incorrect type for "{name}" (want {one.kind})')
    else:
        for index, item in enumerate(node.items):
            yield from _single(one, item, (*path, index), f"{name}[{index}]")


def _single(one: Key, node: Node, path: Path, name: str) -> Iterator[Finding]:
    if issubclass(one.element, Section):
        yield from _structure(node, one.element, path, name)
        return
    kind = one.kind.removeprefix("[]")
    if not isinstance(node, Scalar) or node.kind not in _FITTING[kind]:
        yield Finding(WARNING, path, f'incorrect type for "{name}" (want {kind})')


def _patterns(node: Node, cls: type[Section], path: Path) -> Iterator[Finding]:
    if not isinstance(node, Mapping):
        return
    for name, one in cls.keys().items():
        inner = node.members.get(name)
        if inner is None:
            continue
        if issubclass(one.element, Section):
            for place, element in _each(inner, (*path, name)) if one.many else [((*path, name), inner)]:
                yield from _patterns(element, one.element, place)
        elif one.pattern and isinstance(inner, Scalar) and inner.text and inner.kind != yaml_scalars.NULL:
            if not one.pattern.fullmatch(inner.text):
                from ignition.config.suggest import closest

                close = closest(inner.text, one.choices)
                fix = f'did you mean "{close}"? It is {one.form}' if close else f"write {one.form}"
                yield Finding(ERROR, (*path, name), f"invalid value {inner.text}", fix)


def _read_only(root: Node) -> Iterator[Finding]:
    import posixpath

    for path, one in _elements(root, "write_files"):
        target = one.child("path")
        if isinstance(target, Scalar) and posixpath.normpath(posixpath.dirname(target.text)).startswith("/usr"):
            fix = "write below /etc, /opt or /var"
            yield Finding(ERROR, (*path, "path"), "file cannot be written to a read-only filesystem", fix)


def _under_coreos(root: Node) -> Iterator[Finding]:
    path = ("coreos", "write_files")
    if _find(root, path) is not None:
        yield Finding(INFO, path, "write_files doesn't belong under coreos", "move it to the top level", at="key")


def _find(root: Node, path: Path) -> Node | None:
    node: Node | None = root
    for part in path:
        node = node.child(part) if node else None
    return node


def _elements(root: Node, name: str) -> Iterator[tuple[Path, Node]]:
    node = root.child(name)
    return _each(node, (name,)) if node else iter(())


def _each(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield (*path, index), item
