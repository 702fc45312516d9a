"""What is applied: exactly the text that was signed; and what an image, or the kernel command line, asks for."""

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings, beside
from ignition.trust import policy
from tests.fetch.server import Reply, serving
from tests.sealing.tang import Tang, seal
from tests.stages.conftest import Boot
from tests.trust.conftest import CONFIG
from tests.trust.keys import Keys

BUTANE = b"variant: fcos\nversion: 1.6.0\nstorage:\n  files:\n  - path: /signed\n"
CLC = b"storage:\n  files:\n  - path: /signed\n    filesystem: root\n"


def applied(boot: Boot) -> str:
    """The cached config as text."""
    return json.dumps(boot.cache())


@pytest.mark.parametrize("text", [CONFIG, BUTANE, CLC], ids=["Ignition", "Butane", "Container Linux Config"])
def test_signed_user_data_is_applied(image: Boot, keys: Keys, text: bytes) -> None:
    (image.top / "config.ign").write_bytes(keys.clear(text))
    image.execute("fetch")
    assert "/signed" in applied(image)


HARMLESS = {
    "as it is": lambda signed: signed,
    "line ends of Windows": lambda signed: signed.replace(b"\n", b"\r\n"),
    "blanks at the ends of lines": lambda signed: signed.replace(b"\n", b" \t\n"),
    "blank lines at the end": lambda signed: signed + b"\n\n",
    "compressed": gzip.compress,
    "without the checksum of the armor": lambda signed: b"\n".join(x for x in signed.split(b"\n") if not x.startswith(b"=")),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_is_not_signed_does_not_matter(image: Boot, keys: Keys, change: object) -> None:
    """Whoever serves the text can change its ends of lines: what is applied is the same, byte for byte."""
    from ignition.rendering.trusted import signed_text

    text = b"variant: fcos\n- dash\n-\n--\n\n  block: |\n    kept\n"
    signed = change(keys.clear(text))  # type: ignore[operator]
    wanted = policy.Policy(policy.REQUIRED, "", (str(image.system / "trusted.gpg"),), "the test")
    assert signed_text(signed, wanted, "here") == text


@pytest.mark.parametrize("names", [("good", "stranger"), ("stranger", "other"), ("good", "other"), ("expired", "good")])
def test_one_good_signature_suffices(image: Boot, keys: Keys, names: tuple[str, ...]) -> None:
    (image.top / "config.ign").write_bytes(keys.clear(CONFIG, *names))
    image.execute("fetch")
    assert "/signed" in applied(image)


@pytest.mark.parametrize("suffix", [".sig", ".asc"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_signature_beside_the_url(image: Boot, keys: Keys, suffix: str, packed: bool) -> None:
    served = gzip.compress(CONFIG) if packed else CONFIG
    options = ("--armor",) if suffix == ".asc" else ()
    replies = {"/c.ign": Reply(body=served), f"/c.ign{suffix}": Reply(body=keys.beside(served, options=options))}
    with serving(replies) as server:
        image.cmdline(f"ignition.config.url={server.url}/c.ign?machine=7 ignition.config.verify=required")
        image.execute("fetch")
        assert f"/c.ign{suffix}?machine=7" in server.paths()
    assert "/signed" in applied(image)


def test_place_of_the_signature() -> None:
    assert beside("https://host/c.ign", ".sig") == "https://host/c.ign.sig"
    assert beside("https://host/c.ign?a=b?c#d", ".asc") == "https://host/c.ign.asc?a=b?c#d"
    assert beside("https://host/c.ign#d?e", ".sig") == "https://host/c.ign.sig#d?e"


def test_referenced_configs_and_files_that_are_bound(image: Boot, keys: Keys) -> None:
    """By a hash, by a signature in the text, or by one beside it."""
    other = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/%s"}]}}\n'
    texts = {name: other % name.encode() for name in ("hashed", "clear", "beside")}
    replies: dict[str, Reply | list[Reply]] = {
        "/hashed": Reply(body=texts["hashed"]),
        "/clear": Reply(body=keys.clear(texts["clear"], "other")),
        "/beside": Reply(body=texts["beside"]),
        "/beside.sig": Reply(body=keys.beside(texts["beside"])),
        "/file": Reply(body=b"content"),
        "/file.sig": Reply(body=keys.beside(b"content")),
    }
    with serving(replies) as server:
        verification = {"hash": f"sha512-{hashlib.sha512(texts['hashed']).hexdigest()}"}
        merge: list[dict[str, object]] = [{"source": f"{server.url}/{name}"} for name in texts]
        merge[0]["verification"] = verification
        document = {
            "ignition": {"version": "3.5.0", "config": {"merge": merge}},
            "storage": {"files": [{"path": "/file", "contents": {"source": f"{server.url}/file"}}]},
        }
        (image.top / "config.ign").write_bytes(keys.clear(json.dumps(document).encode()))
        image.execute("fetch")
    assert all(f"/{name}" in applied(image) for name in (*texts, "file"))


def test_sealed_compressed_and_signed(image: Boot, keys: Keys, tmp_path: Path) -> None:
    """A compressed and clear-signed config merges one that was sealed, compressed and then signed, in this order."""
    other = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/sealed"}]}}\n'
    with Tang(tmp_path / "tang") as tang:
        served = gzip.compress(seal("tang", tang.config(), other).encode())
        with serving({"/c": Reply(body=served), "/c.sig": Reply(body=keys.beside(served))}) as server:
            merge = [{"source": f"{server.url}/c", "compression": "gzip", "x-coreos": {"sealed": True}}]
            document = {"ignition": {"version": "3.5.0", "config": {"merge": merge}}}
            (image.top / "config.ign").write_bytes(gzip.compress(keys.clear(json.dumps(document).encode())))
            image.execute("fetch")
            assert "/sealed" in applied(image)
            (image.run / "cache.json").unlink()
            server.replies["/c.sig"] = [Reply(body=keys.beside(other))]
            with pytest.raises(Failure, match="BAD signature"):
                image.execute("fetch")
            assert not (image.run / "cache.json").exists()


def _fetcher(image: Boot) -> Fetcher:
    return Fetcher(Settings(), offline=False, policy=policy.of_this_boot())


def test_later_stages_check_a_file_while_it_is_written(image: Boot, keys: Keys) -> None:
    content = b"x" * 3_000_000
    with (
        serving({"/file": Reply(body=content), "/file.sig": Reply(body=keys.beside(content))}) as server,
        _fetcher(image) as fetcher,
    ):
        file = io.BytesIO()
        fetcher.copy_to(Resource(source=f"{server.url}/file"), file)
        assert file.getvalue() == content
        server.replies["/file"] = [Reply(body=content[:-1] + b"y")]
        with pytest.raises(Failure, match="BAD signature") as caught:
            fetcher.copy_to(Resource(source=f"{server.url}/file"), io.BytesIO())
        assert caught.value.where.endswith("/file.sig")
        server.replies.pop("/file.sig")
        with pytest.raises(Failure, match="neither verification.hash nor a signature beside the URL"):
            fetcher.copy_to(Resource(source=f"{server.url}/file"), io.BytesIO())


def test_compressed_file_is_signed_as_it_is_served(image: Boot, keys: Keys) -> None:
    packed = gzip.compress(b"content")
    with (
        serving({"/f.gz": Reply(body=packed), "/f.gz.sig": Reply(body=keys.beside(packed))}) as server,
        _fetcher(image) as fetcher,
    ):
        assert fetcher.read(Resource(source=f"{server.url}/f.gz", compression="gzip")) == b"content"


def test_default_of_the_image_takes_the_place_of_no_config(image: Boot) -> None:
    (image.top / "config.ign").write_bytes(b"")
    image.fragment("default.ign", CONFIG.decode())
    image.execute("fetch")
    assert "/signed" in applied(image)


def test_user_config_of_the_initramfs_needs_no_signature(image: Boot) -> None:
    image.fragment("user.ign", CONFIG.decode())
    image.execute("fetch")
    assert "/signed" in applied(image)


def test_user_config_of_the_initramfs_is_bound_by_the_digest_alone(image: Boot, keys: Keys) -> None:
    text = keys.clear(CONFIG, "stranger")
    image.fragment("user.ign", text.decode())
    image.cmdline(f"ignition.config.verify=required ignition.config.digest=sha256-{hashlib.sha256(text).hexdigest()}")
    image.execute("fetch")
    assert "/signed" in applied(image)


def test_config_of_a_retry_needs_neither(image: Boot, keys: Keys) -> None:
    from ignition.host import paths

    image.cmdline(f"ignition.config.verify=required ignition.config.digest=sha256-{'0' * 64}")
    (image.run / paths.RETRY_CONFIG).write_bytes(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "STATE", str(image.run / "state"))
        image.execute("fetch")
    assert "/signed" in applied(image)


@pytest.mark.parametrize("name", ["user.ign", "base.ign", "default.ign"])
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_config_on_a_disk_needs_one(image: Boot, keys: Keys, name: str, signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from ignition.rendering import vendor_configs

    text = keys.clear(CONFIG) if signed else CONFIG
    monkeypatch.setattr(vendor_configs, "_look", lambda patient: iter([(name, "/base on OEM", text, "/dev/OEM")]))
    (image.top / "config.ign").write_bytes(b"" if name == "default.ign" else keys.clear(CONFIG))
    if name == "base.ign":
        image.fragment("default.ign", CONFIG.decode())
    if signed:
        image.execute("fetch")
        assert "/signed" in applied(image)
    else:
        with pytest.raises(Failure, match="/base on OEM: the config is not signed"):
            image.execute("fetch")
        assert not (image.run / "cache.json").exists()
        assert not (image.run / "vendor/base.ign").exists()


class TestPolicy:
    """Who demands signatures, and who can take that back."""

    @pytest.mark.parametrize("line", ["", "ignition.config.verify=off", "ignition.config.verify=required"])
    def test_image_is_not_overruled(self, image: Boot, line: str) -> None:
        image.cmdline(line)
        image.fragment("config-verify", "required\n")
        (image.top / "config.ign").write_bytes(CONFIG)
        with pytest.raises(Failure, match=r"the config is not signed, and .*/config-verify of the image requires that"):
            image.execute("fetch")

    def test_nobody_demands_them(self, image: Boot, keys: Keys) -> None:
        image.cmdline("quiet")
        (image.top / "config.ign").write_bytes(CONFIG)
        image.execute("fetch")
        assert "/signed" in applied(image)

    def test_signed_config_is_checked_anyway(self, image: Boot, keys: Keys) -> None:
        image.cmdline("quiet")
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG, "stranger"))
        with pytest.raises(Failure, match="not a key of this image"):
            image.execute("fetch")

    def test_off_checks_none(self, image: Boot, keys: Keys, capsys: pytest.CaptureFixture[str]) -> None:
        image.cmdline("ignition.config.verify=off")
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG, "stranger"))
        image.execute("fetch")
        assert "/signed" in applied(image)
        assert "the signature of the config is not checked: ignition.config.verify=off" in capsys.readouterr().out

    def test_without_keys_none_is_checked(self, boot: Boot, keys: Keys, capsys: pytest.CaptureFixture[str]) -> None:
        (boot.top / "config.ign").write_bytes(keys.clear(CONFIG))
        boot.execute("fetch")
        assert "/signed" in applied(boot)
        assert "the signature of the config is not checked: the initramfs does not have keys" in capsys.readouterr().out

    def test_demand_without_keys(self, boot: Boot) -> None:
        boot.cmdline("ignition.config.verify=required")
        boot.config(CONFIG.decode())
        with pytest.raises(
            Failure, match=r"trusted.gpg: .*requires a signed config, but the initramfs does not have a key.*gpg --export"
        ):
            boot.execute("fetch")

    @pytest.mark.parametrize("word", ["yes", "Required", "on", "of"])
    def test_unknown_word(self, boot: Boot, word: str) -> None:
        boot.cmdline(f"ignition.config.verify={word}")
        boot.config(CONFIG.decode())
        with pytest.raises(Failure, match=rf"kernel command line: ignition.config.verify={word} is not known.*required or off"):
            boot.execute("fetch")

    @pytest.mark.parametrize("text", ["", "off\n", "obligatory\n"])
    def test_demand_that_is_not_understood(self, image: Boot, text: str) -> None:
        image.fragment("config-verify", text)
        (image.top / "config.ign").write_bytes(CONFIG)
        with pytest.raises(Failure, match="config-verify: the image's demand is not known"):
            image.execute("fetch")

    @pytest.mark.parametrize("form", [(), ("--armor",)], ids=["binary", "armored"])
    @pytest.mark.parametrize("signer", ["good", "other"])
    def test_keys_in_either_form(self, image: Boot, keys: Keys, form: tuple[str, ...], signer: str) -> None:
        """Beside a file of the other form, and with several keys in one file."""
        for name, owners in (("a.gpg", ["good"]), ("b.gpg", ["other", "stranger"])):
            options = form if name == "b.gpg" else ()
            text = keys.gpg(*options, "--export", *(f"<{owner}@example.com>" for owner in owners))
            (image.system / "trusted.gpg.d" / name).write_bytes(text)
        (image.system / "trusted.gpg").unlink()
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG, signer))
        image.execute("fetch")
        assert "/signed" in applied(image)

    @pytest.mark.parametrize("signer", ["good", "other", "stranger"])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
    def test_armored_keys_among_words(self, image: Boot, keys: Keys, signer: str, end: bytes) -> None:
        """As a person collects them, and apt names such a file: gpg passes over what is outside the blocks."""
        owners = ("good", "other", "stranger")
        blocks = [b"of %s:\n%s" % (owner.encode(), keys.gpg("--armor", "--export", f"<{owner}@example.com>")) for owner in owners]
        text = b"Our keys.\n\n" + b"\nand\n".join(blocks) + b"\nThat is all.\n"
        (image.system / "trusted.gpg.d/team.asc").write_bytes(text.replace(b"\n", end))
        for name in ("trusted.gpg", "trusted.gpg.d/more.gpg"):
            (image.system / name).unlink()
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG, signer))
        image.execute("fetch")
        assert "/signed" in applied(image)

    @pytest.mark.parametrize(
        "text", [b"", b"key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n-----END PGP PUBLIC KEY BLOCK-----\n"]
    )
    def test_file_that_does_not_have_keys(self, image: Boot, keys: Keys, text: bytes) -> None:
        (image.system / "trusted.gpg.d/more.gpg").write_bytes(text)
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG))
        with pytest.raises(Failure, match=r"trusted.gpg.d/more.gpg: not a file of OpenPGP public keys .*--export"):
            image.execute("fetch")

    def test_signature_by_a_subkey(self, image: Boot, keys: Keys) -> None:
        """The subkey is of the image with its primary key, and expires by itself."""
        (image.system / "trusted.gpg.d/more.gpg").write_bytes(keys.public("with-subkey"))
        (image.top / "config.ign").write_bytes(keys.clear(CONFIG, "with-subkey"))
        image.execute("fetch")
        assert "/signed" in applied(image)


class TestDigest:
    """ignition.config.digest= binds the first config, wherever it comes from."""

    @pytest.mark.parametrize("function", ["sha512", "sha256"])
    @pytest.mark.parametrize("source", ["user data", "URL", "initramfs"])
    @pytest.mark.parametrize("same", [True, False], ids=["same", "another"])
    def test_each_source(self, boot: Boot, function: str, source: str, same: bool) -> None:
        found = f"{function}-{hashlib.new(function, CONFIG).hexdigest()}"
        wanted = found if same else f"{function}-{hashlib.new(function, b'x').hexdigest()}"
        with serving({"/c.ign": Reply(body=CONFIG)}) as server:
            url = f"ignition.config.url={server.url}/c.ign" if source == "URL" else ""
            boot.cmdline(f"ignition.config.digest={wanted.upper().replace('SHA', 'sha')} {url}")
            if source == "initramfs":
                boot.fragment("user.ign", CONFIG.decode())
            boot.config(CONFIG.decode() if source == "user data" else "")
            if same:
                boot.execute("fetch")
                assert "/signed" in applied(boot)
                return
            with pytest.raises(Failure, match=f"the config is {found}, the kernel command line expects {wanted}") as caught:
                boot.execute("fetch")
        place = {"user data": "platform file", "URL": "http://127.0.0.1:", "initramfs": "/user.ign"}[source]
        assert place in caught.value.where
        assert f"set ignition.config.digest={found}" in caught.value.fix
        assert not (boot.run / "cache.json").exists()

    def test_config_that_is_missing(self, boot: Boot) -> None:
        wanted = f"sha256-{hashlib.sha256(CONFIG).hexdigest()}"
        boot.cmdline(f"ignition.config.digest={wanted}")
        boot.config("")
        boot.fragment("default.ign", CONFIG.decode())
        with pytest.raises(Failure, match=f"platform file: there is no config, the kernel command line expects {wanted}"):
            boot.execute("fetch")

    def test_compressed_config_is_compared_as_it_comes(self, boot: Boot) -> None:
        packed = gzip.compress(CONFIG)
        boot.cmdline(f"ignition.config.digest=sha512-{hashlib.sha512(packed).hexdigest()}")
        (boot.top / "config.ign").write_bytes(packed)
        boot.execute("fetch")
        assert "/signed" in applied(boot)

    @pytest.mark.parametrize("digest", ["sha512-1234", "md5-d41d8cd98f00b204e9800998ecf8427e", "x", f"sha256-{'g' * 64}"])
    def test_malformed(self, boot: Boot, digest: str) -> None:
        boot.cmdline(f"ignition.config.digest={digest}")
        boot.config(CONFIG.decode())
        with pytest.raises(
            Failure, match=f"kernel command line: ignition.config.digest={digest} is not a digest.*sha512sum FILE"
        ):
            boot.execute("fetch")

    @pytest.mark.parametrize("functions", [("sha512", "sha512"), ("sha256", "sha512"), ("sha512", "sha256")], ids="-".join)
    @pytest.mark.parametrize("texts", [(CONFIG, CONFIG), (b"x", CONFIG), (CONFIG, b"x")], ids=["equal", "last", "first"])
    def test_last_of_two_counts(self, boot: Boot, functions: tuple[str, str], texts: tuple[bytes, bytes]) -> None:
        digests = [f"{name}-{hashlib.new(name, text).hexdigest()}" for name, text in zip(functions, texts, strict=True)]
        boot.cmdline(" ".join(f"ignition.config.digest={digest}" for digest in digests))
        boot.config(CONFIG.decode())
        if texts[1] == CONFIG:
            boot.execute("fetch")
            assert "/signed" in applied(boot)
        else:
            with pytest.raises(Failure, match=f"the kernel command line expects {digests[1]}"):
                boot.execute("fetch")

    @pytest.mark.parametrize("change", [str.upper, str.title])
    def test_case_does_not_matter(self, boot: Boot, change: Callable[[str], str]) -> None:
        boot.cmdline(f"ignition.config.digest={change('sha512-' + hashlib.sha512(CONFIG).hexdigest())}")
        boot.config(CONFIG.decode())
        boot.execute("fetch")
        assert "/signed" in applied(boot)

    def test_base64_is_not_a_spelling(self, boot: Boot) -> None:
        digest = "sha512-" + base64.b64encode(hashlib.sha512(CONFIG).digest()).decode()
        boot.cmdline(f"ignition.config.digest={digest}")
        boot.config(CONFIG.decode())
        with pytest.raises(Failure, match="is not a digest.*sha512- and 128 hex digits"):
            boot.execute("fetch")

    def test_it_does_not_take_the_place_of_a_signature(self, image: Boot) -> None:
        digest = hashlib.sha512(CONFIG).hexdigest()
        image.cmdline(f"ignition.config.verify=required ignition.config.digest=sha512-{digest}")
        (image.top / "config.ign").write_bytes(CONFIG)
        with pytest.raises(Failure, match="the config is not signed"):
            image.execute("fetch")
