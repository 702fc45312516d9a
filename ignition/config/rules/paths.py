"""The form of absolute paths, which many sections require."""

from __future__ import annotations

from ignition.config.known_values import PATH_BYTES


def problem(path: str) -> str:
    """Why it is not an absolute path in its simplest form; "" if it is."""
    if not path.startswith("/"):
        return "path is not absolute"
    if path != "/" and any(part in ("", ".", "..") for part in path[1:].split("/")):
        return "path is not in its simplest form"
    return ""


def fix(path: str) -> str:
    """The fix: the path in its simplest form."""
    return f"write {simplest(path if path.startswith('/') else '/' + path)}"


def simplest(path: str) -> str:
    """Without empty, `.` and `..` parts and trailing slash, as Go's path.Clean simplifies an absolute path."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def ancestors(path: str) -> list[str]:
    """`/a/b/c` → `/a/b`, `/a`. Empty for a path too long for any machine (O5): its ancestors would fill the memory."""
    found: list[str] = []
    if len(path) > PATH_BYTES:
        return found
    end = path.rfind("/")
    while end > 0:
        found.append(path[:end])
        end = path.rfind("/", 0, end)
    return found
