"""Secrets in user data of coreos-cloudinit, which runs as a service: what it says goes into the journal. And in Butane and ct.

A word where a member takes only certain words (`encoding`, `command`, a version) is shown: nobody puts a secret there.

Files that a document asks for have the mode that it asks for; a script of user data is for its owner alone.
"""

from collections.abc import Callable

import pytest

from tests.secrets.laboratory import RENDERED, SCREEN, Bench, leaks, secret_of

pytestmark = pytest.mark.root
S = "@SECRET@"
HEAD = "#cloud-config\n"
AS_SERVICE = {"JOURNAL_STREAM": "1:2"}
# name → the document, and the files of the root that may hold the secret, with the bits they may have
DOCUMENTS: dict[str, tuple[str, dict[str, int]]] = {
    "password": (f"{HEAD}users:\n  - name: core\n    passwd: $6$s${S}\n", {"root/etc/shadow": 0o640}),
    "password-of-root": (f"{HEAD}users:\n  - {{name: root, passwd: {S}}}\n", {"root/etc/shadow": 0o640}),
    "key": (
        f"{HEAD}ssh_authorized_keys:\n  - ssh-ed25519 {S}\n",
        {"root/home/core/.ssh/authorized_keys.d/coreos-cloudinit": 0o600, "root/home/core/.ssh/authorized_keys": 0o600},
    ),
    "key-import": (f"{HEAD}users:\n  - name: core\n    coreos_ssh_import_url: http://u:{S}@127.0.0.1/x?t={S}\n", {}),
    "content": (f"{HEAD}write_files:\n  - {{path: /opt/a, permissions: '0600', content: {S}}}\n", {"root/opt/a": 0o600}),
    "content-base64": (f"{HEAD}write_files:\n  - {{path: /opt/a, encoding: b64, permissions: '0600', content: {S}}}\n", {"root/opt/a": 0o600}),
    "content-gzip": (f"{HEAD}write_files:\n  - {{path: /opt/a, encoding: gz+b64, content: {S}}}\n", {}),
    "content-owner": (f"{HEAD}write_files:\n  - {{path: /opt/a, owner: core, permissions: '0600', content: {S}}}\n", {"root/opt/a": 0o600}),
    "content-to-a-directory": (f"{HEAD}write_files:\n  - {{path: /etc, content: {S}}}\n", {}),
    "etcd2": (f"{HEAD}coreos:\n  etcd2:\n    discovery: https://discovery.etcd.io/{S}\n", {"root/run/systemd/system/etcd2.service.d/20-cloudinit.conf": 0o644}),
    "etcd-peer": (f"{HEAD}coreos:\n  etcd2: {{initial-cluster-token: {S}, nonsense: {S}}}\n", {"root/run/systemd/system/etcd2.service.d/20-cloudinit.conf": 0o644}),
    "fleet": (f"{HEAD}coreos:\n  fleet: {{metadata: token={S}}}\n", {"root/run/systemd/system/fleet.service.d/20-cloudinit.conf": 0o644}),
    "flannel": (f"{HEAD}coreos:\n  flannel: {{etcd_password: {S}}}\n", {"root/run/flannel/options.env": 0o644, "root/run/systemd/system/flanneld.service.d/20-cloudinit.conf": 0o644}),
    "update-server": (f"{HEAD}coreos:\n  update: {{server: http://u:{S}@h/x, group: stable}}\n", {"root/etc/coreos/update.conf": 0o644}),
    "unit": (f"{HEAD}coreos:\n  units:\n    - name: a.service\n      command: start\n      content: |\n        [Service]\n        Environment=A={S}\n", {"root/etc/systemd/system/a.service": 0o644}),
    "unit-drop-in": (f"{HEAD}coreos:\n  units:\n    - name: a.service\n      drop-ins: [{{name: b.conf, content: '[Service]\n\n        Environment=A={S}'}}]\n", {"root/etc/systemd/system/a.service.d/b.conf": 0o644}),
    "environment": (f"{HEAD}write_files:\n  - {{path: /opt/a, permissions: '0600', content: '$private_ipv4 {S}'}}\n", {"root/opt/a": 0o600}),
    "script": (f"#!/bin/sh\ncurl -H 'Authorization: {S}'\n", {"*script*": 0o700}),
    "script-without-end": (f"#!/bin/sh -{S}", {"*script*": 0o700}),
    "ignition": (f'{{"ignition": {{"version": "2.0.0"}}, "x": "{S}"}}', {}),
    "neither": (f"password={S}\n", {}),
    "multipart": (f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n{S}\n--b--\n", {"*script*": 0o700}),
    "unknown-key": (f"{HEAD}chpasswd:\n  list: |\n    root:{S}\n", {}),
    "runcmd": (f"{HEAD}runcmd:\n  - [curl, '{S}']\n", {}),
}  # fmt: skip
FAULTS: dict[str, Callable[[str, str], str]] = {
    "none": lambda text, secret: text.replace(S, secret),
    "list": lambda text, secret: text.replace(S, f"[{secret}]"),
    "map": lambda text, secret: text.replace(S, f"{{a: {secret}}}"),
    "open-quote": lambda text, secret: text.replace(S, f'"{secret}', 1),
    "colon": lambda text, secret: text.replace(S, f"{secret}: a: b", 1),
    "tab": lambda text, secret: text.replace(S, f"\t{secret}", 1),
    "alias": lambda text, secret: text.replace(S, f"*{secret}", 1),
    "tag": lambda text, secret: text.replace(S, f"!{secret} a", 1),
    "python-tag": lambda text, secret: text.replace(S, f"!!python/object:{secret} a", 1),
    "control-character": lambda text, secret: text.replace(S, f"{secret}\x07", 1),
    "not-utf-8": lambda text, secret: text.replace(S, f"{secret}\udcff", 1),
    "cut-off": lambda text, secret: text.partition(S)[0] + secret,
}


def text_of(document: str, fault: str, secret: str) -> bytes:
    return FAULTS[fault](document, secret).encode(errors="surrogateescape")


def too_open(bench: Bench, secret: str, allowed: dict[str, int]) -> dict[str, int]:
    """Files with the secret that are not expected, or may be read by too many."""
    found = {}
    for path, mode in bench.files_with(secret).items():
        most = allowed.get(path, allowed.get("*script*", 0) if "coreos-cloudinit" in path else 0)
        if mode & ~most:
            found[path] = mode
    return found


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_service_keeps_user_data_to_itself(bench: Bench, name: str, fault: str) -> None:
    secret = secret_of(f"cloudinit {name} {fault}")
    document, allowed = DOCUMENTS[name]
    path = bench.give("user-data", text_of(document, fault, secret))
    flags = (f"-from-file={path}", "-workspace=/var/lib/coreos-cloudinit")
    ran = bench.start("coreos-cloudinit", *flags, environment=AS_SERVICE, root=str(bench.root))
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert too_open(bench, secret, allowed) == {}


@pytest.mark.parametrize("fault", ["none", "open-quote", "list"])
@pytest.mark.parametrize("name", ["password", "content", "script"])
def test_person_sees_the_own_document(bench: Bench, name: str, fault: str) -> None:
    secret = secret_of(f"validate {name} {fault}")
    path = bench.give("user-data", text_of(DOCUMENTS[name][0], fault, secret))
    ran = bench.start("coreos-cloudinit", f"-from-file={path}", "-validate", root=str(bench.root))
    assert leaks(ran, secret, shown_on=SCREEN) == []
    assert bench.files_with(secret) == {}


BUTANE = "variant: flatcar\nversion: 1.1.0\n"
SOURCES: dict[str, str] = {
    "butane-password": f"{BUTANE}passwd:\n  users:\n    - {{name: core, password_hash: {S}}}\n",
    "butane-inline": f"{BUTANE}storage:\n  files:\n    - {{path: /opt/a, mode: 0600, contents: {{inline: {S}}}}}\n",
    "butane-source": f"{BUTANE}storage:\n  files:\n    - {{path: /opt/a, contents: {{source: 'data:,{S}'}}}}\n",
    "butane-luks": f"{BUTANE}storage:\n  luks:\n    - {{name: a, device: /dev/a, key_file: {{inline: {S}}}}}\n",
    "butane-unit": f"{BUTANE}systemd:\n  units:\n    - {{name: a.service, contents: {S}}}\n",
    "butane-local": f"{BUTANE}storage:\n  files:\n    - {{path: /opt/a, contents: {{local: {S}}}}}\n",
    "ct-password": f"passwd:\n  users:\n    - {{name: core, password_hash: {S}}}\n",
    "ct-inline": f"storage:\n  files:\n    - {{path: /opt/a, filesystem: root, mode: 0600, contents: {{inline: {S}}}}}\n",
    "ct-etcd": f"etcd: {{version: 3.0.15, discovery: 'https://u:{S}@h/x', initial_cluster_token: {S}}}\n",
    "ct-remote": f"storage:\n  files:\n    - {{path: /opt/a, filesystem: root, contents: {{remote: {{url: 'http://u:{S}@h/x?t={S}'}}}}}}\n",
    "ct-update": f"update: {{server: 'http://u:{S}@h/x', group: stable}}\n",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SOURCES)
def test_boot_keeps_what_it_translates_to_itself(bench: Bench, name: str, fault: str) -> None:
    secret = secret_of(f"boot {name} {fault}")
    bench.give("config", text_of(SOURCES[name], fault, secret))
    ran = bench.stage("fetch")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert bench.files_with(secret).items() <= RENDERED.items()


@pytest.mark.parametrize("fault", ["none", "list", "open-quote"])
@pytest.mark.parametrize("name", SOURCES)
def test_transpiler_shows_lines_on_the_screen_alone(bench: Bench, name: str, fault: str) -> None:
    secret = secret_of(f"transpile {name} {fault}")
    program = name.partition("-")[0]
    ran = bench.start(program, stdin=text_of(SOURCES[name], fault, secret))
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret, shown_on=SCREEN) == []
    assert bench.files_with(secret) == {}


@pytest.mark.parametrize("name", ["butane-local", "butane-inline", "ct-inline"])
def test_local_file_goes_into_the_output_alone(bench: Bench, name: str) -> None:
    secret = secret_of(f"local {name}")
    bench.give("files/key", secret)
    local = "contents: {local: key}"
    text = SOURCES[name].replace(f"contents: {{inline: {S}}}", local).replace(f"local: {S}", "local: key")
    ran = bench.start(name.partition("-")[0], "--files-dir", bench.given / "files", stdin=text.encode())
    assert ran.status == 0, ran.words()
    assert leaks(ran, secret, shown_on=("stdout",)) == []
