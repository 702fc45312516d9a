"""What goes over the wire is what was typed: escapes, case, dots, slashes and queries are for the server to understand.

As Go's net/http does. A signed URL is good in one spelling only, and many servers tell `%2F` from `/`.
"""

from base64 import b64decode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignition.config.model import Resource
from ignition.config.model.ignition import Header
from ignition.errors import Failure
from ignition.fetch import oem, tftp, urls
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.server import Reply, Server, serving
from tests.fetch.test_proxy import settings, tunnelling

AS_TYPED = [
    "/%2D%7E%41%2e",
    "/a%2Fb%2fc",
    "/%e2%82%ac/%E2%82%AC",
    "/a/../b/./c/..",
    "//a///b//",
    "/a;p=1;/b;",
    "/a:b@c&d=e+f$g,h!i*j'(k)[l]",
    "/?",
    "/a?",
    "/a?q=%2D%7e&r=a+b&s=%20&=&&t",
    "/a?sig=a%2Bb%2Fc%3D&se=2030-01-01T00%3A00%3A00Z",
    "/a?b?c/d/../e",
    """/a?x={"y":[1|2]}^`<>\\""",
]
ESCAPED = [  # typed, and what is sent: what cannot stand in a request line, or in a path
    ("", "/"),
    ("?q", "/?q"),
    ("/a b", "/a%20b"),
    ("/ü%2D", "/%C3%BC%2D"),
    ("/a?ü=€ x", "/a?%C3%BC=%E2%82%AC%20x"),
    ("""/{"<>"}|^`\\""", "/%7B%22%3C%3E%22%7D%7C%5E%60%5C"),
]
USERS = [
    ("user:password", b"user:password"),
    ("user", b"user:"),
    (":password", b":password"),
    ("u%3Aname:p%40s%2Fs%25:w", b"u:name:p@s/s%:w"),
    ("us+er:p@ss", b"us+er:p@ss"),
    ("%e9:%C3%BC", b"\xe9:\xc3\xbc"),
    ("", b":"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({}) as one:
        one.otherwise = Reply(body=b"x")
        yield one


@pytest.mark.parametrize("typed", AS_TYPED)
@pytest.mark.parametrize("fragment", ["", "#f", "#a?b/%2D"])
@pytest.mark.parametrize("user", ["", "u:p@"], ids=["plain", "libraries"])
def test_path_and_query_are_sent_as_typed(fetcher: Fetcher, server: Server, typed: str, fragment: str, user: str) -> None:
    fetcher.read(Resource(source=f"{server.url}{typed}{fragment}".replace("//", f"//{user}", 1)))
    assert server.requests[-1].target == typed


@pytest.mark.parametrize(("typed", "sent"), ESCAPED)
def test_what_cannot_be_sent_is_escaped_and_nothing_else(fetcher: Fetcher, server: Server, typed: str, sent: str) -> None:
    fetcher.read(Resource(source=f"{server.url}{typed}"))
    assert server.requests[-1].target == sent


@pytest.mark.parametrize("typed", AS_TYPED)
def test_metadata_services_get_it_as_written(fetcher: Fetcher, server: Server, typed: str) -> None:
    fetcher.request("PUT", f"{server.url}{typed}", body=b"{}")
    assert (server.requests[-1].target, server.requests[-1].body) == (typed, b"{}")


@pytest.mark.parametrize("typed", AS_TYPED)
def test_redirect_leads_where_it_says(fetcher: Fetcher, server: Server, typed: str) -> None:
    server.replies = {"/from-here": [Reply(302, headers={"Location": f"{server.url}{typed}#f"})]}
    fetcher.read(Resource(source=f"{server.url}/from-here"))
    assert server.requests[-1].target == typed


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/%2D?a=%7E&b=", "/%2D?a=%7E&b="),
        ("x;y;?", "/dir/x;y;?"),
        ("../x%2F..%2f/./y", "/x%2F..%2f/y"),
        ("?q=%2D", "/dir/here?q=%2D"),
        ("#part", "/dir/here"),
        ("ü b".encode().decode("latin-1"), "/dir/%C3%BC%20b"),
        ("\xe9", "/dir/%E9"),
        ("/100%/x", "/100%/x"),
    ],
)
def test_redirect_may_be_relative(fetcher: Fetcher, server: Server, location: str, sent: str) -> None:
    server.replies = {"/dir/here": [Reply(302, headers={"Location": location}), Reply(body=b"there")]}
    fetcher.read(Resource(source=f"{server.url}/dir/here"))
    assert server.requests[-1].target == sent


@pytest.mark.parametrize(("userinfo", "sent"), USERS)
def test_user_and_password_are_sent_without_their_escapes(fetcher: Fetcher, server: Server, userinfo: str, sent: bytes) -> None:
    address = server.url.removeprefix("http://")
    fetcher.read(Resource(source=f"http://{userinfo}@{address}/%2D"))
    request = server.requests[-1]
    assert (request.target, request.headers["Host"]) == ("/%2D", address)
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == sent


def test_given_authorization_counts_more_than_a_user(fetcher: Fetcher, server: Server) -> None:
    address = server.url.removeprefix("http://")
    given = Header(name="authorization", value="Bearer x")
    fetcher.read(Resource(source=f"http://u:p@{address}/", http_headers=(given,)))
    assert server.requests[-1].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize("typed", AS_TYPED)
def test_proxy_gets_it_as_typed(server: Server, typed: str) -> None:
    with Fetcher(Settings(http_proxy=server.url, attempts=1), offline=False) as fetcher:
        fetcher.read(Resource(source=f"http://u:p@Target.Example:80{typed}#f"))
    request = server.requests[-1]
    assert (request.target, request.headers["Host"]) == (f"http://Target.Example:80{typed}", "Target.Example:80")
    assert "Authorization" in request.headers


@pytest.mark.parametrize(("userinfo", "sent"), [row for row in USERS if row[0]])
def test_user_of_a_proxy(server: Server, userinfo: str, sent: bytes) -> None:
    proxy = server.url.replace("//", f"//{userinfo}@")
    with Fetcher(Settings(http_proxy=proxy, attempts=1), offline=False) as fetcher:
        fetcher.read(Resource(source="http://target.example/"))
    header = server.requests[-1].headers["Proxy-Authorization"]
    assert b64decode(header.removeprefix("Basic ")) == sent


def test_tunnel_changes_nothing(certificates: Certificates) -> None:
    with serving({}, certificates.other_name) as server, tunnelling(server.server_port) as tunnel:
        server.otherwise = Reply(body=b"x")
        with Fetcher(settings(tunnel.server_address[1], certificates), offline=False) as fetcher:
            for typed in AS_TYPED:
                fetcher.read(Resource(source=f"https://elsewhere.example{typed}#f"))
        assert [request.target for request in server.requests] == AS_TYPED
        assert {request.headers["Host"] for request in server.requests} == {"elsewhere.example"}


@pytest.mark.parametrize(
    ("url", "server", "host"),
    [
        ("http://A.Example/", "http://a.example/", "A.Example"),
        ("https://a.example:443/x", "https://a.example:443/", "a.example:443"),
        ("http://u@a.example:/x", "http://a.example/", "a.example"),
        ("http://bücher.example:81/", "http://xn--bcher-kva.example:81/", "xn--bcher-kva.example:81"),
        ("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81/", "[2001:db8::1]:81"),
        ("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/", "[fe80::1]"),
    ],
)
def test_host_is_said_as_typed_but_in_ascii(url: str, server: str, host: str) -> None:
    from ignition.fetch.transport import Outgoing

    outgoing = Outgoing("GET", url, {})
    assert (outgoing.server, outgoing.prepared.headers["Host"]) == (server, host)


def test_other_schemes_take_the_path_apart_once() -> None:
    """A TFTP server and a file system know no escapes."""
    assert tftp.target("tftp://h/%2D%252D/a%2fb//c;d?q#f") == ("h", 69, b"/-%2D/a/b//c;d")
    assert oem.file_path("oem:///%2D%252D/c;d?q#f") == "/-%2D/c;d"


_PARTS = st.lists(
    st.sampled_from([*"abcXYZ019-._~!$&'()*+,;=:@/[]", "%2D", "%7e", "%C3%BC", "%25", "%2F", "..", "//"]), max_size=12
).map("".join)


@given(_PARTS, st.none() | _PARTS, st.none() | _PARTS)
def test_nothing_that_needs_no_escape_is_touched(path: str, query: str | None, fragment: str | None) -> None:
    typed = f"/{path}" + ("" if query is None else f"?{query}")
    assert urls.Wire(f"https://h{typed}" + ("" if fragment is None else f"#{fragment}")).target == typed


@pytest.mark.parametrize(
    ("base", "reference", "target"),
    [  # RFC 3986, 5.4.1, as far as http has them
        ("http://a/b/c/d;p?q", "g", "http://a/b/c/g"),
        ("http://a/b/c/d;p?q", "./g", "http://a/b/c/g"),
        ("http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"),
        ("http://a/b/c/d;p?q", "/g", "http://a/g"),
        ("http://a/b/c/d;p?q", "//g", "http://g"),
        ("http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"),
        ("http://a/b/c/d;p?q", "g?y#s", "http://a/b/c/g?y#s"),
        ("http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q#s"),
        ("http://a/b/c/d;p?q", ";x", "http://a/b/c/;x"),
        ("http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"),
        ("http://a/b/c/d;p?q", ".", "http://a/b/c/"),
        ("http://a/b/c/d;p?q", "..", "http://a/b/"),
        ("http://a/b/c/d;p?q", "../..", "http://a/"),
        ("http://a/b/c/d;p?q", "../../../../g", "http://a/g"),
        ("http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x"),
        ("http://a", "g", "http://a/g"),
        ("https://u:p@a/b#f", "c", "https://u:p@a/c"),
    ],
)
def test_references_are_resolved(base: str, reference: str, target: str) -> None:
    assert urls.joined(base, reference) == target


def test_redirect_to_a_name_that_is_not_one_is_refused(fetcher: Fetcher, server: Server) -> None:
    server.replies = {"/from-here": [Reply(302, headers={"Location": "http://h:x/"})]}
    with pytest.raises(Failure, match="the redirect's target is not a URL"):
        fetcher.read(Resource(source=f"{server.url}/from-here"))
