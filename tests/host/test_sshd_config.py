"""Where sshd looks for keys. The parser was compared with `sshd -T -C user=…` of OpenSSH 9.2 over 2,200 generated configurations,
each for two users and two connections; the rows are what those consist of."""

import os
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root
from ignition.host.sshd_config import Person, is_key_dir, is_read, key_sources, place

HOME = "/home/core"
PLAIN, OURS = f"{HOME}/.ssh/authorized_keys", f"{HOME}/.ssh/authorized_keys.d/ignition"
MAIN = "/etc/ssh/sshd_config"
CORE = Person("core", 1000, HOME, frozenset({"core", "wheel", "adm"}))
FRAGMENT = ".ssh/authorized_keys.d/ignition"
DEFAULT = (PLAIN, f"{PLAIN}2")


def home_of(name: str) -> str | None:
    """Of the other users of the root."""
    return {"root": "/root", "ann": "/home/ann"}.get(name)


def root_with(tmp_path: Path, files: dict[str, str]) -> Root:
    """A root with these files; `-> ` makes a symlink, a path that ends in `/` a directory."""
    for inside, text in files.items():
        path = tmp_path / inside.strip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if inside.endswith("/"):
            path.mkdir()
        elif text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return Root(str(tmp_path))


@pytest.mark.parametrize(
    ("line", "read"),
    [
        pytest.param("", DEFAULT, id="default"),
        pytest.param("AuthorizedKeysFile a b", (f"{HOME}/a", f"{HOME}/b"), id="relative to the home"),
        pytest.param("authorizedKEYSfile a", (f"{HOME}/a",), id="case"),
        pytest.param("  \tAuthorizedKeysFile\ta  b\t", (f"{HOME}/a", f"{HOME}/b"), id="blanks"),
        pytest.param("AuthorizedKeysFile=a", (f"{HOME}/a",), id="equals sign"),
        pytest.param("AuthorizedKeysFile = a", (f"{HOME}/a",), id="equals sign between blanks"),
        pytest.param("AuthorizedKeysFile == a", (f"{HOME}/=", f"{HOME}/a"), id="only one equals sign"),
        pytest.param('"AuthorizedKeysFile" a', (f"{HOME}/a",), id="quoted keyword"),
        pytest.param("""AuthorizedKeysFile "a b" 'c d' e"f g"h""", (f"{HOME}/a b", f"{HOME}/c d", f"{HOME}/ef gh"), id="quotes"),
        pytest.param(r"AuthorizedKeysFile a\ b c\"d e\f", (f"{HOME}/a b", f'{HOME}/c"d', rf"{HOME}/e\f"), id="escapes"),
        pytest.param("AuthorizedKeysFile a # b", (f"{HOME}/a",), id="trailing comment"),
        pytest.param("AuthorizedKeysFile a#b", (f"{HOME}/a#b",), id="number sign inside a word"),
        pytest.param("AuthorizedKeysFile # a\nAuthorizedKeysFile b", (f"{HOME}/b",), id="only a comment"),
        pytest.param("#AuthorizedKeysFile a", DEFAULT, id="commented out"),
        pytest.param("AuthorizedKeysFile a\r\nAuthorizedKeysFile b\r", (f"{HOME}/a",), id="CRLF"),
        pytest.param("AuthorizedKeysFile a\f", (f"{HOME}/a",), id="form feed at the end"),
        pytest.param("AuthorizedKeysFile a\u2028b", (f"{HOME}/a\u2028b",), id="no line end"),
        pytest.param("AuthorizedKeysFile a\nAuthorizedKeysFile b", (f"{HOME}/a",), id="first one counts"),
        pytest.param("AuthorizedKeysFile none", (), id="none"),
        pytest.param("AuthorizedKeysFile NONE a", (f"{HOME}/a",), id="none among others"),
        pytest.param("AuthorizedKeysFile %h/a /k/%u/%U /p%%u", (f"{HOME}/a", "/k/core/1000", "/p%u"), id="tokens"),
        pytest.param("AuthorizedKeysFile a %i b", (f"{HOME}/a",), id="unknown token ends it"),
        pytest.param("AuthorizedKeysFile a% b", (), id="token without a letter"),
        pytest.param("AuthorizedKeysFile ~/a ~ann/b", ("/root/a", "/home/ann/b"), id="tilde is the home of root"),
        pytest.param("AuthorizedKeysFile ./a//b/../c", (f"{HOME}/a/c",), id="normal form"),
    ],
)
def test_files_of_the_global_part(tmp_path: Path, line: str, read: tuple[str, ...]) -> None:
    assert key_sources(root_with(tmp_path, {MAIN: line}), CORE, home_of).files == [read]


A, B = (f"{HOME}/a",), (f"{HOME}/b",)
ASK_A, ASK_B = "AuthorizedKeysFile a\n", "AuthorizedKeysFile b\n"


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        pytest.param(f"Match User core\n{ASK_A}", [A], id="user"),
        pytest.param(f"Match User web\n{ASK_A}", [DEFAULT], id="other user"),
        pytest.param(f"{ASK_B}Match User core\n{ASK_A}", [A], id="block overrides what stands before it"),
        pytest.param(f"{ASK_B}Match User web\n{ASK_A}", [B], id="block of others does not"),
        pytest.param(f"Match User core\n{ASK_A}Match User c*\n{ASK_B}", [A], id="first block counts"),
        pytest.param(f"Match all\n{ASK_A}", [A], id="all"),
        pytest.param(f"Match User web\nMatch all\n{ASK_A}", [A], id="all ends a block"),
        pytest.param(f"match user=core\n{ASK_A}", [A], id="equals sign"),
        pytest.param(f'Match User "core" # x\n{ASK_A}', [A], id="quotes and comment"),
        pytest.param(f"Match User Core\n{ASK_A}", [DEFAULT], id="names have a case"),
        pytest.param(f"Match User cor?\n{ASK_A}", [A], id="question mark"),
        pytest.param(f"Match User cor[e]\n{ASK_A}", [DEFAULT], id="brackets mean nothing"),
        pytest.param(f"Match User web,core\n{ASK_A}", [A], id="list"),
        pytest.param(f"Match User *,!core\n{ASK_A}", [DEFAULT], id="excluded in a list"),
        pytest.param(f"Match User !web\n{ASK_A}", [DEFAULT], id="exclusion alone matches nobody"),
        pytest.param(f"Match User !web,*\n{ASK_A}", [A], id="all but one"),
        pytest.param(f"Match Group wheel\n{ASK_A}", [A], id="group"),
        pytest.param(f"Match Group web\n{ASK_A}", [DEFAULT], id="other group"),
        pytest.param(f"Match Group *,!adm\n{ASK_A}", [DEFAULT], id="one group excluded"),
        pytest.param(f"Match User core Group web\n{ASK_A}", [DEFAULT], id="all criteria must hold"),
        pytest.param(f"Match User core Group adm\n{ASK_A}", [A], id="all criteria hold"),
        pytest.param(f"Match Address 10.0.0.0/8\n{ASK_A}", [A, DEFAULT], id="address"),
        pytest.param(f"Match Host *.x\n{ASK_A}", [A, DEFAULT], id="host"),
        pytest.param(f"Match Host *\n{ASK_A}", [A], id="any host"),
        pytest.param(f"Match LocalPort 22\n{ASK_A}", [A, DEFAULT], id="port"),
        pytest.param(f"Match LocalAddress 1.1.1.1 User core\n{ASK_A}{ASK_B}", [A, DEFAULT], id="address and user"),
        pytest.param(f"Match RDomain x User web\n{ASK_A}", [DEFAULT], id="address and other user"),
        pytest.param(f"Match Address 1.1.1.1\n{ASK_A}Match User core\n{ASK_B}", [A, B], id="perhaps, then surely"),
        pytest.param(f"Match SessionType shell\n{ASK_A}", [A, DEFAULT], id="criterion of later versions"),
        pytest.param(f"Match invalid-user\n{ASK_A}", [DEFAULT], id="invalid user"),
    ],
)
def test_blocks(tmp_path: Path, text: str, outcomes: list[tuple[str, ...]]) -> None:
    assert key_sources(root_with(tmp_path, {MAIN: text}), CORE, home_of).files == outcomes


IN, SUB = "Include sshd_config.d/*.conf\n", "/etc/ssh/sshd_config.d"


@pytest.mark.parametrize(
    ("files", "outcomes"),
    [
        pytest.param({MAIN: IN + ASK_B, f"{SUB}/1.conf": ASK_A}, [A], id="before"),
        pytest.param({MAIN: ASK_B + IN, f"{SUB}/1.conf": ASK_A}, [B], id="behind"),
        pytest.param({MAIN: ASK_B, f"{SUB}/1.conf": ASK_A}, [B], id="nobody includes it"),
        pytest.param({MAIN: IN, f"{SUB}/10.conf": ASK_B, f"{SUB}/1.conf": ASK_A}, [A], id="order of names"),
        pytest.param({MAIN: IN, f"{SUB}/b.conf": ASK_B, f"{SUB}/Z.conf": ASK_A}, [A], id="order of bytes"),
        pytest.param({MAIN: IN, f"{SUB}/.a.conf": ASK_A, f"{SUB}/a.conf~": ASK_A}, [DEFAULT], id="hidden and other names"),
        pytest.param({MAIN: "Include /etc/ssh/x/[ab].conf\n", "/etc/ssh/x/b.conf": ASK_A}, [A], id="brackets"),
        pytest.param({MAIN: "Include /etc/*/x\n", "/etc/q/x": ASK_A}, [A], id="pattern on the way"),
        pytest.param({MAIN: "Include no x y\n", "/etc/ssh/x": ASK_A, "/etc/ssh/y": ASK_B}, [A], id="several, one missing"),
        pytest.param({MAIN: 'Include "x" # y\n', "/etc/ssh/x": ASK_A, "/etc/ssh/y": ASK_B}, [A], id="quoted"),
        pytest.param({MAIN: "Include sshd_config.d\n", f"{SUB}/x": ASK_A}, [DEFAULT], id="a directory"),
        pytest.param({MAIN: "Match User core\nInclude x\n", "/etc/ssh/x": ASK_A}, [A], id="in a block"),
        pytest.param({MAIN: f"Match User web\nInclude x\n{ASK_B}", "/etc/ssh/x": ASK_A}, [DEFAULT], id="in a block of others"),
        pytest.param(
            {MAIN: "Match User web\nInclude x\n", "/etc/ssh/x": f"Match User core\n{ASK_A}"},
            [DEFAULT],
            id="block in such a block",
        ),
        pytest.param({MAIN: "Match Port 1\nInclude x\n", "/etc/ssh/x": f"Match all\n{ASK_A}"}, [A, DEFAULT], id="perhaps"),
        pytest.param({MAIN: f"{IN}{ASK_B}", f"{SUB}/1.conf": "Match User web\n"}, [B], id="a block ends with its file"),
        pytest.param({MAIN: "Include a\n", "/etc/ssh/a": "Include b\n", "/etc/ssh/b": ASK_A}, [A], id="nested"),
        pytest.param({MAIN: "-> ../../usr/share/ssh/x", "/usr/share/ssh/x": ASK_A}, [A], id="link"),
        pytest.param({MAIN: "-> /usr/share/ssh/x", "/usr/share/ssh/x": ASK_A}, [A], id="absolute link stays inside"),
        pytest.param({"/usr/etc/ssh/sshd_config": ASK_A}, [A], id="vendor's"),
        pytest.param({MAIN: "", "/usr/etc/ssh/sshd_config": ASK_A}, [DEFAULT], id="vendor's is not read beside another one"),
        pytest.param({MAIN + "/": ""}, [DEFAULT], id="configuration is a directory"),
        pytest.param({"/etc/ssh": "x"}, [DEFAULT], id="directory is a file"),
        pytest.param({MAIN: "\udcff\udcfe\n\0\n" + ASK_A}, [A], id="not text"),
    ],
)
def test_includes(tmp_path: Path, files: dict[str, str], outcomes: list[tuple[str, ...]]) -> None:
    assert key_sources(root_with(tmp_path, files), CORE, home_of).files == outcomes


BOTH = f"AuthorizedKeysFile .ssh/authorized_keys {FRAGMENT}\n"
KEY_DIR = "AuthorizedKeysCommand /usr/libexec/ssh-key-dir %u\nAuthorizedKeysCommandUser nobody\n"
SYSTEM = "/etc/ssh/authorized_keys.d"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param(BOTH, OURS, id="names it"),
        pytest.param(f"AuthorizedKeysFile {FRAGMENT}", OURS, id="names it alone"),
        pytest.param(f"AuthorizedKeysFile %h/{FRAGMENT}", OURS, id="with a token"),
        pytest.param(f"AuthorizedKeysFile /home/%u/{FRAGMENT}", OURS, id="absolute"),
        pytest.param(f"AuthorizedKeysFile .ssh/authorized_keys {SYSTEM}/%u", PLAIN, id="system-wide directory"),
        pytest.param("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/afterburn", PLAIN, id="fragment of another"),
        pytest.param("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/*", PLAIN, id="no patterns"),
        pytest.param("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d", PLAIN, id="the directory"),
        pytest.param(f"AuthorizedKeysFile .ssh/authorized_keys # not {FRAGMENT}", PLAIN, id="trailing comment"),
        pytest.param(f"AuthorizedKeysFile .ssh/authorized_keys ~/{FRAGMENT}", PLAIN, id="root's"),
        pytest.param(f"AuthorizedKeysFile .ssh/authorized_keys\n{BOTH}", PLAIN, id="second line"),
        pytest.param(f"Match User web\n{BOTH}", PLAIN, id="of another user"),
        pytest.param(f"Match Address 10.0.0.0/8\n{BOTH}", PLAIN, id="only from some addresses"),
        pytest.param(f"{BOTH}Match Address 10.0.0.0/8\nAuthorizedKeysFile .ssh/authorized_keys", PLAIN, id="but from some"),
        pytest.param(f"Match Address 10.0.0.0/8\n{BOTH}Match all\n{BOTH}", OURS, id="from everywhere, said twice"),
        pytest.param(KEY_DIR, OURS, id="program of Fedora CoreOS"),
        pytest.param(f"#{KEY_DIR}", PLAIN, id="commented out"),
        pytest.param(f"AuthorizedKeysCommand none\n{KEY_DIR}", PLAIN, id="none first"),
        pytest.param("AuthorizedKeysCommand /opt/keys ssh-key-dir", PLAIN, id="another program"),
        pytest.param(f"Match User web\n{KEY_DIR}", PLAIN, id="program for another user"),
        pytest.param(f"Match Address 10.0.0.0/8\n{KEY_DIR}", PLAIN, id="program for some addresses"),
        pytest.param(f"{KEY_DIR}AuthorizedKeysFile none", OURS, id="program and no files"),
        pytest.param("AuthorizedKeysFile .ssh/authorized_keys2", f"{PLAIN}2", id="another file of the user"),
        pytest.param("AuthorizedKeysFile %h/keys/%u", f"{HOME}/keys/core", id="another file in the home"),
        pytest.param(
            "AuthorizedKeysFile keys/a keys/b\nMatch Address 10.0.0.0/8\nAuthorizedKeysFile keys/c keys/b",
            f"{HOME}/keys/b",
            id="the second one, as elsewhere",
        ),
        pytest.param(
            "Match Address 10.0.0.0/8\nAuthorizedKeysFile keys/a keys/b\nMatch all\nAuthorizedKeysFile keys/c keys/b",
            f"{HOME}/keys/b",
            id="the second one from everywhere",
        ),
        pytest.param(f"AuthorizedKeysFile {SYSTEM}/%u", f"{SYSTEM}/core", id="only the system's"),
        pytest.param(f"AuthorizedKeysFile {SYSTEM}/%U", f"{SYSTEM}/1000", id="only the system's, by number"),
        pytest.param("AuthorizedKeysFile /etc/keys", PLAIN, id="a file for all"),
        pytest.param("AuthorizedKeysFile /etc/ssh/keys", PLAIN, id="a file for all below /etc/ssh"),
        pytest.param("AuthorizedKeysFile /srv/keys/%u", PLAIN, id="elsewhere"),
        pytest.param("AuthorizedKeysFile none", PLAIN, id="none"),
        pytest.param('AuthorizedKeysFile "x', PLAIN, id="sshd would not start"),
    ],
)
def test_keys_go_where_this_sshd_reads_them(tmp_path: Path, text: str, path: str) -> None:
    found = place(root_with(tmp_path, {MAIN: text}), CORE, "ignition", home_of)
    assert found.path == path
    assert found.by_root == path.startswith(f"{SYSTEM}/")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("", True, id="default"),
        pytest.param("AuthorizedKeysFile none", False, id="no file"),
        pytest.param("AuthorizedKeysFile /etc/keys", False, id="a file for all"),
        pytest.param("PubkeyAuthentication no", False, id="no keys"),
        pytest.param("PubkeyAuthentication yes\nPubkeyAuthentication no", True, id="first counts"),
        pytest.param("Match Address 10.0.0.0/8\nAuthorizedKeysFile none", True, id="not from everywhere"),
    ],
)
def test_whether_keys_let_somebody_in(tmp_path: Path, text: str, read: bool) -> None:
    root = root_with(tmp_path, {MAIN: text})
    assert is_read(root, CORE, PLAIN, home_of) == read


def test_homes_behind_links_are_the_same_place(tmp_path: Path) -> None:
    text = f"AuthorizedKeysFile /var/home/%u/{FRAGMENT}"
    root = root_with(tmp_path, {MAIN: text, "/home": "-> var/home", "/var/home/": ""})
    assert place(root, CORE, "ignition", home_of).path == OURS


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({MAIN: "Match User\n"}, f"{MAIN} line 1: Match User without a value", id="criterion without value"),
        pytest.param({MAIN: "\nMatch all User x\n"}, f"{MAIN} line 2: 'Match all' cannot be combined", id="all and more"),
        pytest.param({MAIN: "AuthorizedKeysFile\n"}, f"{MAIN} line 1: authorizedkeysfile without a value", id="no value"),
        pytest.param({MAIN: "AuthorizedKeysFile ''\n"}, f"{MAIN} line 1: authorizedkeysfile without a value", id="empty value"),
        pytest.param(
            {MAIN: "Include x\n", "/etc/ssh/x": "\nInclude 'x\n"}, "/etc/ssh/x line 2: a quote is not closed", id="quote"
        ),
        pytest.param({MAIN: "Include sshd_config\n"}, f"{MAIN}: more than 16 includes in one another", id="loop"),
        pytest.param(
            {MAIN: "Include a a\n", "/etc/ssh/a": "Include /etc/ssh/[a]\n" * 2}, "/etc/ssh/a: more than", id="loop that branches"
        ),
        pytest.param({MAIN: "#" * (1 << 20) + "\n"}, f"{MAIN}: it is larger than 1024 KiB", id="too large"),
        pytest.param({MAIN: "-> sshd_config"}, f"{MAIN}: too many symlinks", id="loop of links"),
        pytest.param(
            {MAIN: "AuthorizedKeysFile ~nobody/x\n"}, "AuthorizedKeysFile names the home of 'nobody'", id="no such user"
        ),
    ],
)
def test_configuration_that_cannot_be_read_is_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], said: str
) -> None:
    root = root_with(tmp_path, files)
    with pytest.raises(Failure) as caught:
        key_sources(root, CORE, home_of)
    assert str(caught.value).startswith(said)
    assert place(root, CORE, "ignition", home_of).path == PLAIN
    assert f"cannot determine where sshd looks for keys of core, using {PLAIN}: {said}" in capsys.readouterr().out


@pytest.mark.root
@pytest.mark.parametrize("inside", [MAIN, "/etc/ssh/x"], ids=["configuration", "include"])
@pytest.mark.parametrize("kind", ["fifo", "zero"])
def test_what_is_not_a_file_hangs_nothing(tmp_path: Path, inside: str, kind: str) -> None:
    root = root_with(tmp_path, {"/etc/ssh/": ""} if inside == MAIN else {MAIN: "Include x\n"})
    if kind == "fifo":
        os.mkfifo(root.path + inside)
    else:
        os.mknod(root.path + inside, 0o020666, os.makedev(1, 5))
    with pytest.raises(Failure, match="regular file"):
        key_sources(root, CORE, home_of)
    assert place(root, CORE, "ignition", home_of).path == PLAIN


def test_long_patterns_take_no_time(tmp_path: Path) -> None:
    """A backtracking matcher would need longer than the universe has."""
    text = f"Match User {'*a' * 500}b\n{ASK_A}"
    person = Person("a" * 2000, 1, HOME, frozenset())
    assert key_sources(root_with(tmp_path, {MAIN: text}), person, home_of).files == [DEFAULT]


@pytest.mark.parametrize(
    ("text", "accepts_keys", "accepts_others"),
    [
        pytest.param("", True, False, id="default"),
        pytest.param("PubkeyAuthentication NO", False, False, id="no keys"),
        pytest.param("DSAAuthentication no", False, False, id="old name"),
        pytest.param("Match Address 1.1.1.1\nPubkeyAuthentication no", True, False, id="no keys from some addresses"),
        pytest.param(
            "PubkeyAuthentication no\nMatch Address 1.1.1.1\nPubkeyAuthentication yes", True, False, id="keys from some"
        ),
        pytest.param("TrustedUserCAKeys /etc/ssh/ca.pub", True, True, id="certificates"),
        pytest.param("TrustedUserCAKeys None", True, False, id="no certificates"),
        pytest.param("HostbasedAuthentication Yes", True, True, id="trusted hosts"),
        pytest.param("HostbasedAuthentication no", True, False, id="no trusted hosts"),
        pytest.param("Match Host x\nHostbasedAuthentication yes", True, True, id="some trusted hosts"),
        pytest.param("Match User web\nTrustedUserCAKeys /x", True, False, id="certificates of another user"),
    ],
)
def test_ways_to_log_in(tmp_path: Path, text: str, accepts_keys: bool, accepts_others: bool) -> None:
    found = key_sources(root_with(tmp_path, {MAIN: text}), CORE, home_of)
    assert (found.accepts_keys, found.accepts_others) == (accepts_keys, accepts_others)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("", [""]),
        ("AuthorizedKeysCommand None", [""]),
        ('AuthorizedKeysCommand  /x/y "a  b" # c ', ['/x/y "a  b" # c']),
        ("Match Address 1.1.1.1\nAuthorizedKeysCommand /x", ["/x", ""]),
    ],
)
def test_command_is_the_rest_of_its_line(tmp_path: Path, text: str, commands: list[str]) -> None:
    assert key_sources(root_with(tmp_path, {MAIN: text}), CORE, home_of).commands == commands


@pytest.mark.parametrize(
    ("command", "expected"), [("/x/ssh-key-dir %u", True), ('"/x/ssh-key-dir"', True), ("/x/ssh-key-dirs", False), ("", False)]
)
def test_program_of_fedora_is_recognised(command: str, expected: bool) -> None:
    assert is_key_dir(command) is expected


def test_sixteen_includes_in_one_another_are_followed(tmp_path: Path) -> None:
    files = {f"/etc/ssh/{number}": f"Include {number + 1}\n" for number in range(1, 16)} | {"/etc/ssh/16": ASK_A}
    assert key_sources(root_with(tmp_path, {MAIN: "Include 1\n", **files}), CORE, home_of).files == [A]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("x/*.conf", ["a.conf", "b.conf"]),
        ("x/.*", [".hidden.conf"]),
        ("x/?.conf", ["a.conf", "b.conf"]),
        ("x/[b].conf", ["b.conf"]),
        ("x/a\\.conf", ["a.conf"]),
        ("/etc//ssh/x/a.conf", ["a.conf"]),
        ("x/none*", []),
    ],
)
def test_pattern_of_an_include(tmp_path: Path, pattern: str, names: list[str]) -> None:
    files = {
        f"/etc/ssh/x/{name}": f"Match Address {name}\nAuthorizedKeysFile {name}\n"
        for name in ("b.conf", "a.conf", ".hidden.conf", "c")
    }
    found = key_sources(root_with(tmp_path, {MAIN: f"Include {pattern}\n", **files}), CORE, home_of).files
    assert found == [*((f"{HOME}/{name}",) for name in names), DEFAULT]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("core", True),
        ("c*e", True),
        ("c?re", True),
        ("*", True),
        ("**e", True),
        ("c*x", False),
        ("cor", False),
        ("corex", False),
        ("?", False),
        ("", False),
        ("c*o*e*", True),
        ("*c", False),
    ],
)
def test_pattern_of_a_user(tmp_path: Path, pattern: str, matches: bool) -> None:
    text = f'Match User "{pattern},x"\n{ASK_A}'
    assert key_sources(root_with(tmp_path, {MAIN: text}), CORE, home_of).files == [A if matches else DEFAULT]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{HOME}/.ssh/authorized_keys.d/x", True),
        (f"{HOME}/.ssh/authorized_keys.d/.x", False),
        (f"{HOME}/.ssh/other/x", False),
        (f"{HOME}/.ssh/authorized_keys.d/x/y", False),
    ],
)
def test_program_of_fedora_reads_one_directory(tmp_path: Path, path: str, expected: bool) -> None:
    root = root_with(tmp_path, {MAIN: f"{KEY_DIR}AuthorizedKeysFile none"})
    assert is_read(root, CORE, path, home_of) is expected
