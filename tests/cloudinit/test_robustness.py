"""Whatever the bytes: user data is taken, or refused with a Failure; nothing else is raised, and it ends soon."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ignition.cloudinit import facts, sequence, user_data
from ignition.cloudinit.datasources import Metadata
from ignition.cloudinit.plan import Options, Plan
from ignition.cloudinit.validate import validate
from ignition.config.text.display import display
from ignition.errors import Failure
from ignition.host.root import Root

ADDRESSES = dict.fromkeys(("public_ipv4", "private_ipv4", "public_ipv6", "private_ipv6"), "")
KEYS = (
    "hostname",
    "owner",
    "path",
    "permissions",
    "shell",
    "primary-group",
    "drop-ins",
    "command",
    "manage_etc_hosts",
    "users",
    "write_files",
    "coreos",
    "units",
    "name",
    "etcd2",
    "update",
    "content",
    "ssh-authorized-keys",
    "groups",
)
VALUES = (
    "a",
    "1",
    "on",
    "~",
    "[]",
    "{}",
    "[a, {b: c}]",
    "&x y",
    "!!binary gP8=",
    '"\\0\\n:/"',
    "4294967296",
    "/" + "a/" * 2100,
    "../" + "b" * 300,
    "-1",
    "a:b:c",
    "*x",
    "<<: *x",
    "!!binary aGk=",
    "!!int x",
    "|\n    t",
    "'q'",
    "- a",
    ".inf",
)
LINES = st.builds(
    lambda indent, dash, key, value: f"{' ' * indent}{dash}{key}: {value}\n",
    st.integers(0, 6),
    st.sampled_from(["", "- "]),
    st.sampled_from(KEYS),
    st.sampled_from(VALUES),
)
DOCUMENTS = st.lists(LINES, max_size=12).map(lambda lines: ("#cloud-config\n" + "".join(lines)).encode())
HEADS = st.sampled_from(
    [b"", b"#cloud-config\n", b"#!", b"\x1f\x8b", b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n', b"{"]
)
QUICK = settings(
    max_examples=300, deadline=60_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def taken(data: bytes) -> None:
    try:
        unpacked = user_data.unpacked(data)
        display(validate("user-data", unpacked), unpacked)
        sequence.parts(unpacked, ADDRESSES, [])
    except Failure as failure:
        assert failure.what


def planned(data: bytes, root: Root) -> None:
    """The whole plan of what can be read; no operation is carried out."""
    known = facts.probe(root, asks_nss=False)
    found = sequence.parts(data, ADDRESSES, [])
    plan = Plan(found, Metadata(hostname="a b", ssh_keys=("ssh-rsa A",)), known, Options())
    for operation in plan.login():
        assert operation.describe()
    facts.look(known, [one.config for one in plan.configs])
    for refusal in plan.refusals():
        assert refusal.what
        return
    for operation in plan.rest(ADDRESSES, complete=True):
        assert operation.describe()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    directory = tmp_path_factory.mktemp("root")
    (directory / "etc").mkdir()
    (directory / "etc/passwd").write_text("core:x:0:0::/home/core:/bin/sh\n")
    return Root.live(str(directory))


@QUICK
@given(data=DOCUMENTS)
def test_documents_are_planned(data: bytes, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.host.command.run", lambda *_, **__: "LoadState=loaded\n")
    monkeypatch.setattr("ignition.host.command.status_and_output", lambda *_, **__: (0, "disabled"))
    planned(data, root)


@QUICK
@given(DOCUMENTS)
def test_documents(data: bytes) -> None:
    taken(data)


@QUICK
@given(HEADS, st.binary(max_size=200))
def test_bytes(head: bytes, data: bytes) -> None:
    taken(head + data)


@QUICK
@given(HEADS, st.text(max_size=100))
def test_texts(head: bytes, text: str) -> None:
    taken(head + text.encode("utf-8", "surrogatepass"))
