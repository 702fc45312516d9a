"""`write_files` → storage.files. Source: cloudinit/config/cc_write_files.py."""

from __future__ import annotations

import base64
import binascii
import os
from urllib.parse import urlsplit

from ignition.config.text import packed, yaml_scalars
from ignition.config.text.yaml_nodes import Mapping, Scalar
from ignition.errors import Failure
from ignition.from_cloud_config.output import Octal
from ignition.from_cloud_config.reading import View, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path
    from ignition.from_cloud_config.work import Work

MODE = 0o644
_BASE64, _GZIP, _BOTH = {"b64", "base64"}, {"gz", "gzip"}, {"gz+base64", "gzip+base64", "gz+b64", "gzip+b64"}
_PLAIN = {"", "text/plain"}
_FETCHED = ("http", "https", "tftp", "s3", "gs", "arn", "data")
_VOLATILE = ("/run/", "/var/run/", "/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108  not used, only recognized


def translate(work: Work, root: View) -> None:
    """All files, in their order."""
    for path, node in root.items("write_files"):
        view = View(work.leftovers, path, node)
        _file(work, view)
        view.close()


def _file(work: Work, view: View) -> None:
    name = view.text("path")
    if not name or not name.startswith("/"):
        work.leftovers.left(view.path, "the path is missing or not absolute")
        view.ignore("content", "source", "owner", "permissions", "encoding", "append", "defer")
        return
    target = os.path.normpath(name)
    if f"{target}/".startswith(_VOLATILE):
        message = f"{target} is in a directory that is empty at every boot"
        work.leftovers.left(view.path, message, "write it below /etc/tmpfiles.d, or by runcmd")
        view.ignore("content", "source", "owner", "permissions", "encoding", "append", "defer")
        return
    mode, more = _mode(work, view), _owner(work, view)
    if view.flag("defer"):
        view.note("defer", "the file is written before the first start of the system: before packages are installed")
    source = _source(work, view)
    content = None if source is None and "source" in view and "content" not in view else _content(work, view)
    if source is not None:
        work.output.remote_file(target, source, view.path, mode=mode, **more)
    elif content is None:
        return
    elif view.flag("append"):
        work.output.append(target, content, view.path, **({"mode": Octal(mode)} if "permissions" in view else {}), **more)
    else:
        work.output.file(target, content, view.path, mode=mode, **more)


def _mode(work: Work, view: View) -> int:
    node = view.node("permissions")
    if not isinstance(node, Scalar):
        view.text("permissions")
        return MODE
    if node.kind == yaml_scalars.INT:
        value = int(node.value() or 0)
        if not node.text.startswith("0"):
            message = f"{node.text} without quotes is a decimal number: cloud-init sets the mode {value:04o}, and this is 0644"
            work.leftovers.left(view.at("permissions"), message, f'write "0{node.text}"')
            return MODE
        return value
    try:
        return int(node.text, 8)
    except ValueError:
        work.leftovers.left(view.at("permissions"), "this is not an octal number")
        return MODE


def _owner(work: Work, view: View) -> dict[str, Any]:
    owner = view.text("owner", "root:root") or ""
    user, _, group = owner.partition(":")
    unknown = [
        one for one, known in ((user, work.accounts.names), (group, work.accounts.group_names)) if one and one not in known
    ]
    if unknown and not all(map(is_number, unknown)):
        view.note("owner", "the owner must exist in the image: the first boot fails otherwise")
    found: dict[str, Any] = {}
    for member, name in (("user", user), ("group", group)):
        if name and name not in ("root", "-1"):
            found[member] = {"id": int(name)} if is_number(name) else {"name": name}
    return found


def _source(work: Work, view: View) -> dict[str, Any] | None:
    if "source" not in view:
        view.ignore("source")
        return None
    if not isinstance(view.node("source"), Mapping):
        view.left("source", "this is not a mapping with uri and headers", "write source: {uri: URL}")
        return None
    source = view.view("source")
    uri = source.text("uri") or ""
    headers = [
        {"name": name, "value": node.text} for name, _, node in source.view("headers").members() if isinstance(node, Scalar)
    ]
    source.close()
    try:
        scheme = urlsplit(uri).scheme
    except ValueError:
        scheme = ""
    if scheme not in _FETCHED:
        message = "contents are not fetched from this kind of URL"
        work.leftovers.left(source.at("uri"), message, f"use one of {', '.join(_FETCHED)}")
        return None
    view.note("content", "the first boot waits for the URL: content is not used in its place")
    view.ignore("encoding")
    return {"source": uri, **({"http_headers": headers} if headers else {})}


def _content(work: Work, view: View) -> bytes | None:
    """The decoded content; None if it is damaged, or not a text."""
    given = view.text("content")
    raw = (given or "").encode("utf-8", "surrogateescape")
    encoding = (view.text("encoding") or "").lower().strip()
    if encoding not in _BASE64 | _GZIP | _BOTH | _PLAIN:
        work.leftovers.left(view.at("encoding"), "the encoding is unknown: the content is written unchanged, as by cloud-init")
    return None if given is None and "content" in view else decoded(work, view.at("content"), raw, encoding)


def decoded(work: Work, path: Path, raw: bytes, encoding: str) -> bytes | None:
    """The content in one of cloud-init's encodings."""
    try:
        if encoding in _BASE64 | _BOTH:
            raw = base64.b64decode(raw)
        if encoding in _GZIP | _BOTH:
            raw = b"".join(packed.gunzip([raw]))
    except (binascii.Error, ValueError, Failure):
        work.leftovers.left(path, "the content is not in the encoding that is named")
        return None
    return raw
