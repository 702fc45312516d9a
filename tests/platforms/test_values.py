"""How tables name values: members of documents, lists with holes, YAML, addresses."""

import re
from ipaddress import ip_interface

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.metadata import yaml_text
from ignition.metadata.reader import Reader
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import listed, members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, changed, first, first_word, joined, plain, text
from ignition.network import addresses
from ignition.platforms import kubevirt

DOCUMENT = Document("a")
JSON = """{"name": "n", "number": 7, "yes": true, "none": null, "list": [{"x": "0"}, {}, {"x": 2}],
 "of": {"one": ["1", "2"], "two": ["3"], "three": null}, "plain": ["p", "q"], "empty": []}"""


def reader(**documents: str) -> Reader:
    table = Metadata(Service("http://x.example"), prefix="P_")
    return Reader(table, lambda path: documents[path].encode() if path in documents else None, Fetcher(Settings(), offline=True))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("name", "n"),
        ("number", "7"),
        ("yes", "true"),
        ("none", None),
        ("absent.deeper", None),
        ("name.deeper", None),
        ("list.2.x", "2"),
        ("list.3.x", None),
        ("list[].x", ["0", None, "2"]),
        ("plain[]", ["p", "q"]),
        ("empty[]", []),
        ("absent[]", []),
        ("of.*[]", ["1", "2", "3"]),
        ("name.*[]", []),
    ],
)
def test_member(path: str, found: object) -> None:
    assert DOCUMENT.member(path).read(reader(a=JSON)) == found


@pytest.mark.parametrize(("path", "found"), [("[].ip", ["1", None]), ("0.ip", "1"), ("[]", ['{"ip": "1"}', "{}"])])
def test_member_of_a_list(path: str, found: object) -> None:
    assert DOCUMENT.member(path).read(reader(a='[{"ip":"1"},{}]')) == found


@pytest.mark.parametrize("path", ["none", "absent", "list.7.x"])
def test_member_that_is_required(path: str) -> None:
    with pytest.raises(Failure) as caught:
        DOCUMENT.member(path, required=True).read(reader(a=JSON))
    assert (caught.value.what, caught.value.where) == (f"the metadata has no {path}", "a")


def test_absent_document_has_no_members() -> None:
    assert DOCUMENT.member("a").read(reader()) is None
    assert DOCUMENT.member("a[]").read(reader()) == []


@pytest.mark.parametrize("body", ["{", "[" * 100_000])
def test_document_that_cannot_be_parsed(body: str) -> None:
    with pytest.raises(Failure) as caught:
        DOCUMENT.member("a").read(reader(a=body))
    assert (caught.value.what, caught.value.where) == ("the metadata is not valid JSON", "a")


def test_list_of_something_else_than_objects_is_refused() -> None:
    with pytest.raises(Failure) as caught:
        DOCUMENT.objects(reader(a=JSON), "plain")
    assert (caught.value.what, caught.value.where) == ("plain is not a list of objects", "a")


def test_hole_in_a_list_keeps_its_number() -> None:
    table = Metadata(
        Service("http://x.example"), prefix="P_", legacy_prefix="Q_", attributes=[Attribute("X_{n}", DOCUMENT.member("list[].x"))]
    )
    found = Reader(table, lambda _: JSON.encode(), Fetcher(Settings(), offline=True)).attributes()
    assert found == {"AFTERBURN_P_X_0": "0", "COREOS_Q_X_0": "0", "AFTERBURN_P_X_2": "2", "COREOS_Q_X_2": "2"}


def shout(value: Value) -> Value:
    return changed(value, str.upper)


def test_values_may_be_changed_and_joined() -> None:
    source = reader(a=JSON, b="text\n")
    assert shout(text("b")).read(source) == "TEXT"
    assert shout(text("c")).read(source) is None
    assert shout(DOCUMENT.member("plain[]")).read(source) == ["P", "Q"]
    assert shout(DOCUMENT.member("list[].x")).read(source) == ["0", None, "2"]
    assert joined(DOCUMENT.member("plain[]"), ":").read(source) == "p:q"
    assert joined(DOCUMENT.member("empty[]"), ":").read(source) == ""
    assert joined(text("c"), ":").read(source) is None


def test_keys_in_a_list_with_holes() -> None:
    assert members(DOCUMENT.member("list[].x"))(reader(a=JSON)) == ["0", "2"]


@pytest.mark.parametrize(("path", "listing"), [("keys", "0=a"), ("keys/", "0/")])
def test_keys_of_a_listing(path: str, listing: str) -> None:
    documents = {path: listing, "keys/0/openssh-key": "k\n"}
    assert listed(path)(reader(**documents)) == ["k"]


@pytest.mark.parametrize(
    ("text_", "found"),
    [
        ("a: 1e3", {"a": "1e3"}),
        ("a: no", {"a": "no"}),
        ("a: 0123", {"a": "0123"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: =", {"a": "="}),
        ("a: true\nb: False", {"a": True, "b": False}),
        ("a: ~\nb:\nc: null", {"a": None, "b": None, "c": None}),
        ('a: "true"', {"a": "true"}),
        ("- {a: [b, c]}", [{"a": ["b", "c"]}]),
        ("x: &x {a: b}\ny: {<<: *x, c: d}", {"x": {"a": "b"}, "y": {"a": "b", "c": "d"}}),
        ('{"json": [1, null, true]}', {"json": ["1", None, True]}),
        ("", None),
    ],
)
def test_yaml(text_: str, found: object) -> None:
    assert yaml_text.parse(text_) == found


@pytest.mark.parametrize("text_", ["a: [", "a: !!python/object/apply:os.system [x]", "{a: b}: c", "a: \x00"])
def test_yaml_that_is_none(text_: str) -> None:
    with pytest.raises(Failure) as caught:
        Document("d", yaml_text.parse, kind="YAML").member("a").read(reader(d=text_))
    assert (caught.value.what, caught.value.where) == ("the metadata is not valid YAML", "d")


@pytest.mark.parametrize(
    ("address", "network", "found"),
    [
        ("198.51.100.7/24", None, "198.51.100.7/24"),
        ("2001:DB8:0:0::1/64", None, "2001:db8::1/64"),
        ("198.51.100.7", "255.255.255.0", "198.51.100.7/24"),
        ("198.51.100.7", 31, "198.51.100.7/31"),
        ("198.51.100.7", "0.0.0.0", "198.51.100.7/0"),  # noqa: S104  a netmask
        ("2001:db8::3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "2001:db8::3/127"),
        ("2001:db8::3", "64", "2001:db8::3/64"),
    ],
)
def test_address_with_its_network(address: str, network: object, found: str) -> None:
    assert addresses.interface(address, "d", network=network) == ip_interface(found)


def test_address_that_names_its_link() -> None:
    assert str(addresses.address("fe80::1%eth0.5", "d")) == "fe80::1%eth0.5"


@pytest.mark.parametrize("value", [pytest.param(16**4999, id="a number"), {1, 2}, {"a": {3}}])
def test_value_that_json_cannot_write_is_refused(value: object) -> None:
    with pytest.raises(Failure, match="a value in the metadata is not text, number, list or object"):
        plain(value)


@pytest.mark.parametrize(
    ("address", "network", "what"),
    [
        ("198.51.100.7", None, "'198.51.100.7' is an IP address without a prefix length"),
        (None, None, "None is an IP address without a prefix length"),
        ("a/b", None, "'a/b' is not an IP address with a prefix length"),
        ("a", "255.0.0.0", "'a' is not an IP address"),
        (7, "255.0.0.0", "7 is not an IP address"),
        ("198.51.100.7", "255.0.255.0", "'255.0.255.0' is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7", "33", "'33' is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7", "ffff::", "'ffff::' is not a netmask or prefix length of an IPv4 address"),
        ("2001:db8::3", "x", "'x' is not a netmask or prefix length of an IPv6 address"),
        ("198.51.100.7", "9" * 5000, f"'{'9' * 79}… is not a netmask or prefix length of an IPv4 address"),
        pytest.param("198.51.100.7", 16**4999, "a number is not a netmask or prefix length of an IPv4 address", id="a number"),
        ("198.51.100.7", "٢٤", "'\\u0662\\u0664' is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7", -1, "-1 is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7", True, "True is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7", {}, "{} is not a netmask or prefix length of an IPv4 address"),
        ("198.51.100.7/" + "9" * 5000, None, f"'198.51.100.7/{'9' * 66}… is not an IP address with a prefix length"),
        ("9" * 5000, "24", f"'{'9' * 79}… is not an IP address"),
        ("fe80::1%eth0\nDNS=192.0.2.1/64", None, "'fe80::1%eth0\\nDNS=192.0.2.1/64' is not an IP address with a prefix length"),
        ("fe80::1%eth0\nDNS=192.0.2.1", "64", "'fe80::1%eth0\\nDNS=192.0.2.1' is not an IP address"),
        ("fe80::1%eth0", "64", "'fe80::1%eth0' has a zone, but its link is known"),
    ],
)
def test_address_that_is_none(address: object, network: object, what: str) -> None:
    with pytest.raises(Failure) as caught:
        addresses.interface(address, "d", network=network)
    assert (caught.value.what, caught.value.where) == (what, "d")


# Members without which Afterburn takes no document: not an `Option` in its structs (src/providers).
DEMANDED = {
    "akamai": "INSTANCE_ID INSTANCE_HOST_UUID INSTANCE_LABEL INSTANCE_REGION INSTANCE_TYPE IPV6_SLAAC IPV6_LINK_LOCAL",
    "digitalocean": "HOSTNAME REGION",
    "ibmcloud-classic": "INSTANCE_ID LOCAL_HOSTNAME",
    "kubevirt": "INSTANCE_ID HOSTNAME",
    "oraclecloud": "AVAILABILITY_DOMAIN COMPARTMENT_ID FAULT_DOMAIN HOSTNAME INSTANCE_ID INSTANCE_SHAPE REGION_ID",
    "packet": "HOSTNAME PHONE_HOME_URL PLAN",
    "powervs": "INSTANCE_ID LOCAL_HOSTNAME",
    "scaleway": "HOSTNAME INSTANCE_ID INSTANCE_TYPE ZONE_ID",
}
OF_XML = ("azure",)
NOT_DOCUMENTS = ("vagrant-virtualbox",)  # of the machine itself


@pytest.mark.parametrize(
    "name", [one for one in platforms.ids() if platforms.module(one).metadata and one not in (*OF_XML, *NOT_DOCUMENTS)]
)
def test_attributes_that_a_document_must_have(name: str) -> None:
    for table in platforms.metadata(name):
        empty = Reader(table, lambda path: b"{}", Fetcher(Settings(), offline=True))
        demanded = []
        for attribute in table.attributes:
            try:
                attribute.value.read(empty)
            except Failure:
                demanded.append(attribute.name)
        assert demanded == DEMANDED.get(name, "").split()


@pytest.mark.parametrize("name", [one for one in platforms.ids() if platforms.module(one).metadata])
def test_names_of_attributes_are_different(name: str) -> None:
    for table in platforms.metadata(name):
        names = [one for attribute in table.attributes for one in table.names(attribute)]
        assert len(names) == len(set(names))
        assert [one for one in names if not re.fullmatch(r"(AFTERBURN|COREOS)_[A-Z0-9_]+", one)] == []


def test_documents_that_are_not_utf_8() -> None:
    table = Metadata(Service("http://x.example"), prefix="P_")
    source = Reader(table, lambda path: b"x\xe9\n", Fetcher(Settings(), offline=True))
    assert text("a").read(source) == "x\ufffd"
    assert yaml_text.parse("a: !!binary /w==\n") == {"a": "\ufffd"}
    assert yaml_text.parse("a: '\udcff'") == {"a": "?"}


@pytest.mark.parametrize(
    ("values", "found"), [(("x", "y"), "x"), (("", "y"), "y"), (("", ""), ""), ((None, ""), ""), ((None, None), None)]
)
def test_first_of_several_values(values: tuple[str | None, ...], found: str | None) -> None:
    documents = {str(number): value for number, value in enumerate(values) if value is not None}
    value = first(*(text(str(number)) for number in range(len(values))))
    assert value.read(reader(**documents)) == found
    assert value.says == "0, else 1"


@pytest.mark.parametrize(("answer", "word"), [("a.b c.d", "a.b"), (" a\nb", "a"), ("", ""), (" \n", "")])
def test_first_word(answer: str, word: str) -> None:
    assert first_word(text("a")).read(reader(a=answer)) == word


@pytest.mark.parametrize(("body", "found"), [("{", None), ("[1]", None), ("null", None), ('{"a": "b"}', "b")])
def test_document_that_may_be_damaged(body: str, found: object) -> None:
    assert Document("d", may_be_damaged=True).member("a").read(reader(d=body)) == found


@pytest.mark.parametrize("body", ['{"a": ""}', "{}", '{"a": null}'])
def test_member_that_must_be_filled(body: str) -> None:
    with pytest.raises(Failure, match="the metadata has no a"):
        Document("d").member("a", filled=True).read(reader(d=body))
    assert Document("d").member("a", required=True).says == "a of d"


@pytest.mark.parametrize("document", [kubevirt.OPENSTACK_NETWORK, kubevirt.NOCLOUD_NETWORK], ids=["config-2", "cidata"])
def test_network_of_kubevirt_that_is_damaged_is_ignored(document: Document) -> None:
    assert document.read(reader(**{document.path: "{a: ["})) is None
