"""Secrets as values of a config: kept out of all that can be read when the config is right, wrong elsewhere, and wrong in that very place.

ignition-validate shows people the line of the file that they name, on their own terminal; `-json` and `-sarif`, which go into logs
of a build, and the machine's journal show places and messages only.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.secrets.laboratory import RENDERED, SCREEN, Bench, leaks, secret_of

pytestmark = pytest.mark.root
S = "@SECRET@"
KEY = {"name": "a", "device": "/dev/a"}


def config(**sections: Any) -> dict[str, Any]:
    return {"ignition": {"version": "3.4.0"}, **sections}


def user(**members: Any) -> dict[str, Any]:
    return config(passwd={"users": [{"name": "core", **members}]})


def file(**members: Any) -> dict[str, Any]:
    return config(storage={"files": [{"path": "/opt/a", "mode": 0o600, **members}]})


def luks(**members: Any) -> dict[str, Any]:
    return config(storage={"luks": [{**KEY, **members}]})


def unit(text: str) -> dict[str, Any]:
    return config(systemd={"units": [{"name": "a.service", "contents": text}]})


def custom(pin: str, text: str) -> dict[str, Any]:
    return luks(clevis={"custom": {"pin": pin, "config": text, "needsNetwork": False}})


# name → the config, and the files of the root that may hold the secret when all is done, with the bits of others they may have
PRIVATE, PUBLIC = 0o600, 0o644
PLACES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "password-hash": (user(passwordHash=f"$6$salt${S}"), {"root/etc/shadow": 0o640}),
    "plain-password-as-hash": (user(passwordHash=S), {"root/etc/shadow": 0o640}),
    "group-password": (config(passwd={"groups": [{"name": "g", "passwordHash": f"$6$s${S}"}]}), {"root/etc/gshadow": 0o640}),
    "private-key-for-a-public-one": (
        user(sshAuthorizedKeys=[f"-----BEGIN OPENSSH PRIVATE KEY-----\n{S}\n-----END OPENSSH PRIVATE KEY-----"]),
        {"root/home/core/.ssh/authorized_keys.d/ignition": PRIVATE, "root/home/core/.ssh/authorized_keys": PRIVATE},
    ),
    "key-with-environment": (
        user(sshAuthorizedKeys=[f'environment="TOKEN={S}" ssh-ed25519 AAAA me']),
        {"root/home/core/.ssh/authorized_keys.d/ignition": PRIVATE, "root/home/core/.ssh/authorized_keys": PRIVATE},
    ),
    "contents": (file(contents={"source": f"data:,password={S}"}), {"root/opt/a": PRIVATE}),
    "contents-private-key": (file(contents={"source": f"data:,-----BEGIN%20PRIVATE%20KEY-----%0A{S}"}), {"root/opt/a": PRIVATE}),
    "contents-media-type": (file(contents={"source": f"data:text/plain;token={S},x"}), {}),
    "append": (file(append=[{"source": f"data:,{S}"}]), {"root/opt/a": PRIVATE}),
    "contents-for-all": (file(mode=0o644, contents={"source": f"data:,{S}"}), {"root/opt/a": PUBLIC}),
    "inline-merge": (
        config(ignition={"version": "3.4.0", "config": {"merge": [{"source": f"data:,%7B%22ignition%22:%7B%22version%22:%223.4.0%22%7D,%22x%22:%22{S}%22%7D"}]}}),
        {},
    ),
    "authority": (
        config(ignition={"version": "3.4.0", "security": {"tls": {"certificateAuthorities": [{"source": f"data:,{S}"}]}}}),
        {},
    ),
    "header": (
        config(ignition={"version": "3.4.0", "config": {"merge": [{"source": "http://127.0.0.1/x", "httpHeaders": [{"name": "A", "value": S}]}]}}),
        {},
    ),
    "header-name": (
        config(ignition={"version": "3.4.0", "config": {"merge": [{"source": "http://127.0.0.1/x", "httpHeaders": [{"name": f"{S}:", "value": "x"}]}]}}),
        {},
    ),
    "hash": (file(contents={"source": "data:,x", "verification": {"hash": f"sha512-{S}"}}), {}),
    "luks-key": (luks(keyFile={"source": f"data:,{S}"}), {}),
    "luks-key-base64": (luks(keyFile={"source": f"data:;base64,{S}"}), {}),
    "luks-options": (luks(options=["--key-file", S]), {}),
    "luks-open-options": (luks(openOptions=[f"--key-file={S}"]), {}),
    "tang-thumbprint": (luks(clevis={"tang": [{"url": "http://h", "thumbprint": S}]}), {}),
    "tang-advertisement": (luks(clevis={"tang": [{"url": "http://h", "thumbprint": "x", "advertisement": S}]}), {}),
    "clevis-custom": (custom("vault", json.dumps({"token": S})), {}),
    "clevis-custom-text": (custom("vault", S), {}),
    "clevis-sss": (custom("sss", json.dumps({"t": S, "pins": {"vault": {"token": S}}})), {}),
    "clevis-tang-custom": (custom("tang", json.dumps({"url": f"http://u:{S}@h/?t={S}"})), {}),
    "unit-environment": (unit(f"[Service]\nEnvironment=TOKEN={S}\nExecStart=/bin/true\n"), {"root/etc/systemd/system/a.service": PUBLIC}),
    "unit-option": (unit(f"[Service]\nExec=/bin/true {S}\nLimitNPROC={S}\n"), {"root/etc/systemd/system/a.service": PUBLIC}),
    "unit-section": (unit(f"[{S}\nExecStart=/bin/true\n"), {"root/etc/systemd/system/a.service": PUBLIC}),
    "unit-line": (unit(f"[Service]\n{S}\n"), {"root/etc/systemd/system/a.service": PUBLIC}),
    "dropin": (
        config(systemd={"units": [{"name": "a.service", "dropins": [{"name": "b.conf", "contents": f"[Service]\nSetCredential=a:{S}\n"}]}]}),
        {"root/etc/systemd/system/a.service.d/b.conf": PUBLIC},
    ),
    "wireguard": (file(path="/etc/systemd/network/wg.netdev", contents={"source": f"data:,[WireGuard]%0APrivateKey={S}%0A"}), {"root/etc/systemd/network/wg.netdev": PRIVATE}),
    "wireguard-peer": (file(path="/etc/systemd/network/wg.netdev", contents={"source": f"data:,[WireGuardPeer]%0APresharedKey={S}"}), {"root/etc/systemd/network/wg.netdev": PRIVATE}),
    # From then on every user reads it in /proc/cmdline; the record of `ignition verify` is root's.
    "kernel-argument": (
        config(kernelArguments={"shouldExist": [f"token={S}"]}),
        {"root/var/lib/ignition/applied.json": 0o600},
    ),
    "proxy": (config(ignition={"version": "3.4.0", "proxy": {"httpProxy": f"http://u:{S}@127.0.0.1:3128"}}), {}),
    "no-proxy": (config(ignition={"version": "3.4.0", "proxy": {"noProxy": [f"u:{S}@h"]}}), {}),
    "resource-compression": (file(contents={"source": "data:,x", "compression": S}), {}),
    "2x-network": (
        {"ignition": {"version": "2.3.0"}, "networkd": {"units": [{"name": "wg.netdev", "contents": f"[WireGuard]\nPrivateKey={S}\n"}]}},
        {"root/etc/systemd/network/wg.netdev": PUBLIC},
    ),
    "2x-password": (
        {"ignition": {"version": "2.3.0"}, "passwd": {"users": [{"name": "core", "passwordHash": f"$6$s${S}"}]}},
        {"root/etc/shadow": 0o640},
    ),
    "1x-password": ({"ignitionVersion": 1, "passwd": {"users": [{"name": "core", "passwordHash": f"$6$s${S}"}]}}, {"root/etc/shadow": 0o640}),
    "1x-contents": (
        {"ignitionVersion": 1, "systemd": {"units": [{"name": "a.service", "contents": f"[Service]\nEnvironment=A={S}"}]}},
        {"root/etc/systemd/system/a.service": PUBLIC},
    ),
}  # fmt: skip


def wrapped(value: Any, wrap: "Any") -> Any:
    """A copy in which each text with the secret is replaced."""
    if isinstance(value, dict):
        return {name: wrapped(one, wrap) for name, one in value.items()}
    if isinstance(value, list):
        return [wrapped(one, wrap) for one in value]
    return wrap(value) if isinstance(value, str) and S in value else value


def text_of(document: Any, secret: str) -> str:
    return json.dumps(document).replace(S, secret)


def wrong_elsewhere(document: dict[str, Any], secret: str) -> str:
    return text_of(
        {**document, "storage": {"files": [{"path": "relative"}], **document.get("storage", {})}, "unknown": 1}, secret
    )


# What a typing error does in that very place.
FAULTS: dict[str, Callable[[Any, str], str]] = {
    "none": text_of,
    "elsewhere": wrong_elsewhere,
    "list": lambda document, secret: text_of(wrapped(document, lambda text: [text]), secret),
    "object": lambda document, secret: text_of(wrapped(document, lambda text: {text: text}), secret),
    "no-quote": lambda document, secret: text_of(document, secret).replace(secret, f"{secret}\n", 1),
    "cut-off": lambda document, secret: text_of(document, secret).partition(secret)[0] + secret,
    "quote-too-many": lambda document, secret: text_of(document, secret).replace(secret, f'{secret}"', 1),
    "bad-escape": lambda document, secret: text_of(document, secret).replace(secret, f"{secret}\\x", 1),
    "no-quotes": lambda document, secret: text_of(wrapped(document, lambda _: S), secret).replace(f'"{secret}"', secret),
    "control-character": lambda document, secret: text_of(wrapped(document, lambda text: f"{text}\x07\u2028"), secret),
    "nul": lambda document, secret: text_of(wrapped(document, lambda text: f"{text}\0"), secret),
    "blank": lambda document, secret: text_of(wrapped(document, lambda text: f" {text} "), secret),
    "not-utf-8": lambda document, secret: text_of(document, secret).replace(secret, f"{secret}\udcff", 1),
    "twice": lambda document, secret: text_of(document, secret)[:-1] + "," + text_of(document, secret)[1:],
}


def broken(place: str, fault: str, secret: str) -> bytes:
    return FAULTS[fault](PLACES[place][0], secret).encode(errors="surrogateescape")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
def test_boot_keeps_a_value_to_itself(bench: Bench, place: str, fault: str) -> None:
    secret = secret_of(f"{place} {fault}")
    bench.give("config", broken(place, fault, secret))
    ran = bench.stage("fetch")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    if ran.status:
        assert bench.files_with(secret) == {}
        return
    assert bench.files_with(secret).items() <= RENDERED.items()
    kept: dict[str, int] = {}
    if "luks" not in place and "clevis" not in place and "tang" not in place:
        ran = bench.stage("files")
        assert ran.status in (0, 1), ran.words()
        assert leaks(ran, secret) == []
        allowed = {**RENDERED, **PLACES[place][1]}
        assert {path: mode for path, mode in bench.files_with(secret).items() if mode & ~allowed.get(path, 0)} == {}
        kept = RENDERED if ran.status else {}  # for another try at the shell of the failed boot
    ran = bench.stage("umount")
    assert leaks(ran, secret) == []
    assert {path for path in bench.files_with(secret) if not path.startswith("root/")} <= kept.keys()


@pytest.mark.parametrize("fault", ["none", "list", "object", "bad-escape", "no-quotes", "control-character", "twice"])
@pytest.mark.parametrize("place", PLACES)
def test_report_for_programs_has_no_value(bench: Bench, place: str, fault: str) -> None:
    """`-json` has messages and places. A key is not a value: the name of an unknown member or option is shown."""
    secret = secret_of(f"json {place} {fault}")
    path = bench.give("config.ign", broken(place, fault, secret))
    ran = bench.start("ignition-validate", "-json", path)
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []


@pytest.mark.parametrize("fault", ["none", "elsewhere", "list", "bad-escape"])
@pytest.mark.parametrize("place", ["password-hash", "contents", "clevis-custom", "unit-line"])
@pytest.mark.parametrize("program", ["ignition-validate", "render", "sarif"])
def test_person_sees_lines_of_the_own_file_and_nobody_else(bench: Bench, program: str, place: str, fault: str) -> None:
    secret = secret_of(f"{program} {place} {fault}")
    path = bench.give("config.ign", broken(place, fault, secret))
    start = {"render": ("ignition", "render", path), "sarif": ("ignition-validate", "-sarif", path)}
    ran = bench.start(*start.get(program, (program, path)))
    assert leaks(ran, secret, shown_on=() if program == "sarif" else SCREEN) == []
    assert bench.files_with(secret) == {}
