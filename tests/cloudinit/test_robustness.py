"""Whatever the bytes: user data is taken, or refused with a Failure; nothing else is raised, and it ends soon."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ignition.cloudinit import sequence, user_data
from ignition.cloudinit.validate import validate
from ignition.errors import Failure

ADDRESSES = dict.fromkeys(("public_ipv4", "private_ipv4", "public_ipv6", "private_ipv6"), "")
KEYS = (
    "hostname",
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
QUICK = settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


def taken(data: bytes) -> None:
    try:
        unpacked = user_data.unpacked(data)
        validate("user-data", unpacked).rich(unpacked)
        sequence.parts(unpacked, ADDRESSES, [])
    except Failure as failure:
        assert failure.what


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
