"""The files in which the sshd of a root looks for the keys of a user: sshd_config(5), parsed as in OpenSSH (servconf.c, misc.c).

A `Match` block overrides the global part, and for each keyword the first matching block counts. Criteria about the connection
(Address, Host, LocalPort, …) may match or not: then both outcomes are kept, and a file counts as read only if it is read in each
of them.

In this order: the answers (`place`, `is_read`), the configuration for one user, lines and words, Match criteria, the expansion of
file names.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ignition.errors import Failure
from ignition.host import log
from ignition.host.limits import SSHD_CONFIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.root import Root

    HomeOf = Callable[[str], str | None]

PLAIN = ".ssh/authorized_keys"
KEY_DIR = ".ssh/authorized_keys.d"
CONFIGS = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")  # the second is openSUSE's, used if the first does not exist
_INCLUDED_FROM = "/etc/ssh"
_DEFAULT = (PLAIN, ".ssh/authorized_keys2")
_KEY_DIR_PROGRAM = "ssh-key-dir"  # Fedora CoreOS: prints every file of ~/.ssh/authorized_keys.d whose name has no leading dot
_FILE, _COMMAND, _PUBKEY = "authorizedkeysfile", "authorizedkeyscommand", "pubkeyauthentication"
_CA, _HOSTS = "trustedusercakeys", "hostbasedauthentication"  # logins without a file of the user
_KEYWORDS = (_FILE, _COMMAND, _PUBKEY, _CA, _HOSTS)
_ALIASES = {"dsaauthentication": _PUBKEY}
_MAX_DEPTH = 16  # servconf.c SERVCONF_MAX_DEPTH
_MAX_FILES = 512  # sshd has no limit; two includes in each of 16 levels would be 65,536
_BLANKS = " \t\r\n"
_NO, _MAYBE, _YES, _GLOBAL = 0, 1, 2, 3  # whether lines apply; ordered, since the weakest of several counts


class Person:
    """A user as sshd looks it up; `groups` are names, including the primary group."""

    def __init__(self, name: str, uid: int, home: str, groups: frozenset[str]) -> None:
        self.name, self.uid, self.home, self.groups = name, uid, home, groups


class KeySources:
    """The sources of a user's keys. `files` and `commands` have an entry for each outcome that depends on the connection.

    `files`: absolute paths, as the root sees them; `commands`: AuthorizedKeysCommand, `""` without one. `accepts_keys`: some
    connection may use a key at all; `accepts_others`: some connection may log in by a certificate, or because of the host it
    comes from.
    """

    def __init__(
        self, files: list[tuple[str, ...]], commands: list[str], *, accepts_keys: bool = True, accepts_others: bool = False
    ) -> None:
        self.files, self.commands = files, commands
        self.accepts_keys, self.accepts_others = accepts_keys, accepts_others

    def always(self, path: str, root: Root, home: str) -> bool:
        """Whether sshd reads this file in every connection."""
        return all(path in outcome for outcome in self._real(root)) or (
            _in_key_dir(path, root, home) and all(is_key_dir(command) for command in self.commands)
        )

    def ever(self, path: str, root: Root, home: str) -> bool:
        """Whether sshd reads this file in some connection."""
        return any(path in outcome for outcome in self._real(root)) or (
            _in_key_dir(path, root, home) and any(is_key_dir(command) for command in self.commands)
        )

    def _real(self, root: Root) -> list[tuple[str, ...]]:
        return [tuple(_real(path, root) for path in outcome) for outcome in self.files]


class Place:
    """The file for keys. `path` is absolute, as the root sees it.

    `by_root`: a file of the system (owned by root, 0644), outside of the user's home. `is_read`: sshd reads it, as far as its
    configuration is understood. `accepts_keys`: as of KeySources.
    """

    def __init__(self, path: str, *, by_root: bool = False, is_read: bool = True) -> None:
        self.path, self.by_root, self.is_read = path, by_root, is_read
        self.accepts_keys = True


def place(root: Root, person: Person, fragment: str, home_of: HomeOf) -> Place:
    """The file in which keys of that user allow a login: the fragment, if sshd reads it in every connection.

    Otherwise ~/.ssh/authorized_keys, unless sshd never reads it: then the first file of its list in the user's home, or in a
    directory of the system that has files by user. For an unreadable configuration a warning is logged, and sshd's default is
    used.
    """
    home = person.home.rstrip("/")
    plain, own = f"{home}/{PLAIN}", f"{home}/{KEY_DIR}/{fragment}"
    try:
        sources = key_sources(root, person, home_of)
    except Failure as failure:
        log.warning(f"cannot determine where sshd looks for keys of {person.name}, using {plain}: {failure}")
        return Place(plain)
    if sources.always(_real(own, root), root, person.home):
        found = Place(own)
    elif sources.ever(_real(plain, root), root, person.home):
        found = Place(plain)
    elif sources.ever(_real(own, root), root, person.home):
        found = Place(own)
    else:
        found = _elsewhere(sources, person) or Place(plain, is_read=False)
    found.accepts_keys = sources.accepts_keys
    return found


def is_read(root: Root, person: Person, path: str, home_of: HomeOf) -> bool:
    """Whether keys in that file allow a login. True as well if sshd's configuration cannot be read."""
    try:
        sources = key_sources(root, person, home_of)
    except Failure:
        return True
    return sources.accepts_keys and sources.ever(_real(path, root), root, person.home)


def _elsewhere(sources: KeySources, person: Person) -> Place | None:
    """The first file for this user only, of those that are read in every connection."""
    for path in sources.files[0]:
        if not all(path in outcome for outcome in sources.files):
            continue
        if path.startswith(f"{person.home.rstrip('/')}/"):
            return Place(path)
        # A file of the system: only below /etc/ssh, and named after the user, as /etc/ssh/authorized_keys.d/%u. With a shared
        # file the user could log in as somebody else.
        directory, name = os.path.split(path)
        if name in (person.name, str(person.uid)) and f"{directory}/".startswith(f"{_INCLUDED_FROM}/"):
            return Place(path, by_root=True)
    return None


def key_sources(root: Root, person: Person, home_of: HomeOf) -> KeySources:
    """The sources from which sshd takes the keys of that user. `home_of` returns the home of another user.

    Raises Failure for a configuration that cannot be read, or that sshd would refuse.
    """
    reading = _Reading(root, person)
    for path in CONFIGS:
        text = reading.text(path)
        if text is not None:
            reading.file(path, text, _GLOBAL, 0)
            break
    files = [_expanded(outcome, person, home_of) for outcome in reading.outcomes(_FILE, _DEFAULT)]
    commands = [" ".join(outcome) for outcome in reading.outcomes(_COMMAND, ())]
    accepts = any(outcome[0].lower() != "no" for outcome in reading.outcomes(_PUBKEY, ("yes",)))
    others = any(outcome[0].lower() != "none" for outcome in reading.outcomes(_CA, ("none",)))
    others |= any(outcome[0].lower() == "yes" for outcome in reading.outcomes(_HOSTS, ("no",)))
    commands = ["" if command.lower() == "none" else command for command in commands]
    return KeySources(files, commands, accepts_keys=accepts, accepts_others=others)


class _Reading:
    """The configuration for one user: values of the global part, and of the blocks that apply or may apply."""

    def __init__(self, root: Root, person: Person) -> None:
        self._root, self._person = root, person
        self._global: dict[str, tuple[str, ...]] = {}
        self._matched: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        self._seen: set[tuple[str, int]] = set()
        self._files = self._blocks = 0

    def outcomes(self, keyword: str, default: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The possible values of a keyword, depending on the connection."""
        found = []
        for certainty, value in self._matched.get(keyword, []):
            found.append(value)
            if certainty == _YES:
                return found
        return [*found, self._global.get(keyword, default)]

    def text(self, path: str) -> str | None:
        """A file's text; None if it does not exist or is a directory, which sshd ignores as well."""
        from ignition.host.reading import read_text

        self._files += 1
        if self._files > _MAX_FILES:
            raise Failure(f"more than {_MAX_FILES} files are included", where=path)
        try:
            if self._root.status(path) is None or self._root.is_directory(path):
                return None
            return read_text(self._root, path, limit=SSHD_CONFIG)
        except OSError as error:
            raise Failure(f"cannot be read: {error.strerror}", where=path) from error

    def file(self, path: str, text: str, ceiling: int, depth: int, block: int = 0) -> None:
        """Parse one file. `ceiling` and `block`: whether the line that includes it applies, and the block of that line."""
        applies = ceiling
        for number, line in enumerate(text.split("\n"), start=1):
            # sshd reads C strings: a NUL ends the line.
            keyword, rest = _keyword(line.partition("\0")[0].lstrip(" \t\r").rstrip(f"{_BLANKS}\f"))
            keyword = _ALIASES.get(keyword, keyword)
            try:
                if keyword == "match":
                    applies = min(ceiling, _matches(rest, self._person))
                    self._blocks = block = self._blocks + 1  # a number per block, across all files
                elif keyword == "include":
                    self._include(_arguments(rest), applies, depth, block)
                elif keyword in _KEYWORDS and applies != _NO:
                    self._set(keyword, _value(keyword, rest), applies, block)
            except Failure as failure:
                failure.where = failure.where or f"{path} line {number}"
                raise

    def _set(self, keyword: str, value: tuple[str, ...], applies: int, block: int) -> None:
        if not value or (keyword, block) in self._seen:
            return  # AuthorizedKeysFile followed only by a comment: a later line still counts
        self._seen.add((keyword, block))
        if applies == _GLOBAL:
            self._global[keyword] = value
        else:
            self._matched.setdefault(keyword, []).append((applies, value))

    def _include(self, patterns: tuple[str, ...], applies: int, depth: int, block: int) -> None:
        if not patterns or "" in patterns:
            raise Failure("Include without a file")
        for pattern in patterns:
            for path in self._glob(pattern if pattern.startswith("/") else f"{_INCLUDED_FROM}/{pattern}"):
                if depth == _MAX_DEPTH:
                    raise Failure(f"more than {_MAX_DEPTH} includes in one another", where=path)
                text = self.text(path)
                if text is not None:
                    self.file(path, text, applies, depth + 1, block)

    def _glob(self, pattern: str) -> list[str]:
        """As glob(3): in byte order, with brackets; a name with a leading dot only matches a pattern with one."""
        from fnmatch import fnmatchcase

        def matching(directory: str, part: str) -> list[str]:
            names = sorted(self._root.names(directory))
            return [name for name in names if fnmatchcase(name, part) and (part[0] == "." or name[0] != ".")]

        found = ["/"]
        for part in pattern.split("/"):
            if not part:
                continue
            if any(one in part for one in "*?["):
                found = [os.path.join(directory, name) for directory in found for name in matching(directory, part)]
            else:
                found = [os.path.join(directory, part.replace("\\", "")) for directory in found]
        return found


def _keyword(line: str) -> tuple[str, str]:
    """The first word in lower case, and the rest of the line; `("", "")` for an empty line. A comment has no keyword of ours."""
    word, rest = _delimited(line)
    if word == "":  # as servconf.c: leading blanks make an empty first word
        word, rest = _delimited(rest)
    return (word.lower(), rest) if word else ("", "")


def _delimited(text: str) -> tuple[str | None, str]:
    """misc.c strdelim(): the first word, up to blanks, one `=`, or a closing quote, and the rest. None if the quote is open."""
    end = next((index for index, one in enumerate(text) if one in f'{_BLANKS}"='), len(text))
    word, rest = text[:end], text[end:]
    if rest.startswith('"'):
        quoted, closing, rest = rest[1:].partition('"')
        return (word + quoted, rest.lstrip(_BLANKS)) if closing else (None, "")
    if rest.startswith("="):
        return word, rest[1:].lstrip(_BLANKS)
    rest = rest.lstrip(_BLANKS)
    return word, rest[1:].lstrip(_BLANKS) if rest.startswith("=") else rest


def _arguments(text: str) -> tuple[str, ...]:
    """misc.c argv_split(): words with quotes of both kinds; a `#` where a word could begin ends the line."""
    words: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        if text[at] == "#":
            break
        word, at = _word(text, at)
        words.append(word)
    return tuple(words)


def _word(text: str, at: int) -> tuple[str, int]:
    """The word that begins at an index, and the index of its end. Raises Failure for an open quote."""
    word, quote = "", ""
    while at < len(text):
        one, following = text[at], text[at + 1 : at + 2]
        if one == "\\" and following and (following in "'\"\\" or (following == " " and not quote)):
            word, at = word + following, at + 2
            continue
        if not quote and one in " \t":
            break
        if one == quote:
            quote = ""
        elif not quote and one in "'\"":
            quote = one
        else:
            word += one
        at += 1
    if quote:
        raise Failure("a quote is not closed")
    return word, at


def _value(keyword: str, rest: str) -> tuple[str, ...]:
    words = _arguments(rest)
    if not rest or "" in words or (not words and keyword != _FILE):
        raise Failure(f"{keyword} without a value")
    if keyword == _COMMAND:
        return (rest.strip(_BLANKS),)  # the whole line, comments included: the program gets them as arguments
    return words


def _matches(criteria: str, person: Person) -> int:
    """Whether a Match line applies to the user. Raises Failure for a line that sshd refuses."""
    result, count = _YES, 0
    while criteria:
        attribute, criteria = _delimited(criteria)
        if not attribute or attribute.startswith("#"):
            break
        count += 1
        name = attribute.lower()
        if name == "invalid-user":  # 9.9 and later; without an argument
            result = _NO
            continue
        if name == "all":
            if count > 1 or (criteria and not criteria.startswith("#")):
                raise Failure("'Match all' cannot be combined")
            return _YES
        argument, criteria = _delimited(criteria)
        if not argument or argument.startswith("#"):
            raise Failure(f"Match {attribute} without a value")
        result = min(result, _criterion(name, argument, person))
    if not count:
        raise Failure("Match without a criterion")
    return result


def _criterion(name: str, argument: str, person: Person) -> int:
    if name == "user":
        return _YES if _listed(person.name, argument) > 0 else _NO
    if name == "group":
        # One excluded group decides, regardless of the others (groupaccess.c ga_match_pattern_list).
        verdicts = [_listed(group, argument) for group in person.groups]
        return _YES if verdicts and min(verdicts) >= 0 and max(verdicts) > 0 else _NO
    return _YES if (name, argument) == ("host", "*") else _MAYBE


def _listed(text: str, patterns: str) -> int:
    """match.c match_pattern_list(): 1 if one of the patterns matches, -1 if one that begins with `!` does, else 0."""
    verdict = 0
    for pattern in patterns.split(","):
        if pattern.startswith("!"):
            if _fits(text, pattern[1:]):
                return -1
        elif _fits(text, pattern):
            verdict = 1
    return verdict


def _fits(text: str, pattern: str) -> bool:
    """match.c match_pattern(): only `*` and `?` are special. Without recursion, so that no pattern can exhaust the stack."""
    at, star, mark, place = 0, -1, 0, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _expanded(words: tuple[str, ...], person: Person, home_of: HomeOf) -> tuple[str, ...]:
    """The absolute paths of one AuthorizedKeysFile line; sshd never gets past a word with an unknown token."""
    found = []
    for word in words:
        if word.lower() == "none":
            continue
        path = _with_tokens(_with_home(word, home_of), person)
        if path is None:
            break
        found.append(os.path.normpath(path if path.startswith("/") else f"{person.home}/{path}"))
    return tuple(found)


def _with_home(word: str, home_of: HomeOf) -> str:
    """misc.c tilde_expand(): `~` alone is the home of the user that runs sshd: root."""
    if not word.startswith("~"):
        return word
    name, slash, rest = word[1:].partition("/")
    home = home_of(name or "root")
    if home is None:
        raise Failure(f"AuthorizedKeysFile names the home of {name!r}, who does not exist")
    return f"{home.rstrip('/')}{slash}{rest}"


def _with_tokens(word: str, person: Person) -> str | None:
    """auth.c expand_authorized_keys(). None for an unknown token."""
    tokens = {"h": person.home, "u": person.name, "U": str(person.uid), "%": "%"}
    text, rest = "", word
    while rest:
        literal, percent, rest = rest.partition("%")
        text += literal
        if percent:
            if not rest or rest[0] not in tokens:
                return None
            text, rest = text + tokens[rest[0]], rest[1:]
    return text


def _real(path: str, root: Root) -> str:
    """The path with symlinks followed, as sshd reads it, and as keys are written."""
    try:
        return root.follow(path)
    except (Failure, OSError):
        return path


def _in_key_dir(path: str, root: Root, home: str) -> bool:
    directory, name = os.path.split(path)
    return directory == _real(f"{home}/{KEY_DIR}", root) and not name.startswith(".")


def is_key_dir(command: str) -> bool:
    """Whether an AuthorizedKeysCommand prints the files of ~/.ssh/authorized_keys.d."""
    words = command.split()
    return bool(words) and os.path.basename(words[0].strip('"')) == _KEY_DIR_PROGRAM
