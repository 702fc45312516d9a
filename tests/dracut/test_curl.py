"""The substitute for curl: what clevis asks of it, its exit statuses, and the options it refuses."""

import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

CURL = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/curl"


class Tang(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        status = int(self.path[1:4]) if self.path[1:4].isdigit() else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(f"{self.command} {self.path} {self.headers['Authorization']}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.command} {self.path} {self.headers['Content-Type']} ".encode() + body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Tang) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{serving.server_port}"
        serving.shutdown()


def curl(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    argv = [sys.executable, "-IS", str(CURL), *arguments]
    done = subprocess.run(argv, input=stdin, env={}, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_advertisement_is_fetched(server: str) -> None:
    assert curl("-sfg", f"http://{server}/adv/") == (0, "GET /adv/ None", "")


def test_url_may_lack_its_scheme_and_have_credentials(server: str) -> None:
    assert curl("-sfg", f"a:b%20c@{server}/adv/x") == (0, "GET /adv/x Basic YTpiIGM=", "")


def test_key_is_exchanged(server: str) -> None:
    arguments = [
        "-sfg",
        "-X",
        "POST",
        "-H",
        "Content-Type: application/jwk+json",
        "--data-binary",
        "@-",
        f"http://{server}/rec/k",
    ]
    assert curl(*arguments, stdin='{"x":"ü"}\n') == (0, 'POST /rec/k application/jwk+json {"x":"ü"}\n', "")


def test_redirect_is_not_followed(server: str) -> None:
    assert curl("-sfg", f"http://{server}/302") == (0, "GET /302 None", "")


@pytest.mark.parametrize(("path", "status"), [("404", 22), ("503", 22)])
def test_refusal_has_no_output(server: str, path: str, status: int) -> None:
    assert curl("-sfg", f"http://{server}/{path}") == (status, "", "")


def test_server_that_is_down(server: str) -> None:
    assert curl("-sfg", "http://127.0.0.1:1/adv")[:2] == (7, "")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/adv", "http:///adv"])
def test_url_of_another_kind(url: str) -> None:
    assert curl("-sfg", url)[:2] == (3, "")


@pytest.mark.parametrize(
    "arguments", [["-L", "http://127.0.0.1/"], ["-sfg"], ["-sfg", "--data-binary", "x", "http://127.0.0.1/"]]
)
def test_anything_else_is_an_error(arguments: list[str]) -> None:
    status, output, said = curl(*arguments)
    assert (status, output) == (2, "")
    assert said.startswith("curl: this is coreos-ignition's substitute for clevis: ")


def test_all_calls_of_the_installed_clevis_are_understood() -> None:
    """The words that clevis' scripts pass, with a server that is down: 7, never 2."""
    calls = set()
    for script in Path("/usr/bin").glob("clevis-*-tang"):
        for call in script.read_text().split('"$(curl ')[1:]:
            words = shlex.split(call.partition(")")[0].partition("<<<")[0])
            calls.add((script.name, len(words)))
            assert curl(*words[:-1], "http://127.0.0.1:1/")[0] == 7
    assert calls == {("clevis-encrypt-tang", 2), ("clevis-decrypt-tang", 8)}
