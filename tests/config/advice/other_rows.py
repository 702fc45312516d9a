"""W16 to W19, W21 and W32 by example."""

from tests.config.advice.row import HASH, HASH_512, KEY, PARTS, PLAIN, READ, REPLACE, Row, about, disk, fetched, files, user

A_CONFIG = f"a config, which decides everything, {PLAIN} without a hash: {REPLACE}"
USE_HASH = "use https, or set verification.hash"
TRANSPORT = [
    Row(
        "W16",
        '"storage": {"luks": [{"name": "l", "device": "/dev/a", "keyFile": {"source": ▸"http://x/k"}}]}',
        "$.storage.luks.0.keyFile.source",
        f"the key of a volume {PLAIN}: {READ}",
        "use https",
        '"storage": {"luks": [{"name": "l", "device": "/dev/a", "keyFile": {"source": "https://x/k"},'
        '"clevis": {"tang": [{"url": "http://x", "thumbprint": "t"}]}}]}',
    ),
    Row(
        "W16",
        fetched("/etc/a", "http://x/a", '"mode": 384, '),
        "$.storage.files.0.contents.source",
        f"a file that only its owner may read (mode 0600) {PLAIN}: {READ}",
        "use https",
        fetched("/etc/a", "http://x/a", '"mode": 420, ', mark=""),
    ),
    Row(
        "W16",
        fetched("/etc/tls/server.key", "http://x/a"),
        "$.storage.files.0.contents.source",
        f"a file that is secret by its name {PLAIN}: {READ}",
        "use https",
        fetched("/etc/tls/server.key", "http://169.254.169.254/a", mark=""),
    ),
    Row(
        "W16",
        fetched("/etc/a", "http://me:secret@x/a"),
        "$.storage.files.0.contents.source",
        f"a password in the URL is sent over plain http: {READ}",
        "use https",
        fetched("/etc/a", "http://me@x/a", mark=""),
    ),
    Row(
        "W16",
        files(
            '{"path": "/a", "contents": {"source": "http://x/a", '
            '"httpHeaders": [{"name": "Authorization", "value": ▸"Basic eA=="}]}}'
        ),
        "$.storage.files.0.contents.httpHeaders.0.value",
        f"header Authorization is sent over plain http: {READ}",
        "use https",
        files('{"path": "/a", "contents": {"source": "http://x/a", "httpHeaders": [{"name": "Accept", "value": "Basic eA=="}]}}'),
    ),
    Row(
        "W17",
        about('"config": {"merge": [{"source": ▸"http://x/a"}]}'),
        "$.ignition.config.merge.0.source",
        A_CONFIG,
        USE_HASH,
        about('"config": {"merge": [{"source": "http://x/a", ' + HASH + "}]}"),
    ),
    Row(
        "W17",
        about('"config": {"append": [{"source": ▸"http://x/a"}]}', "2.0.0"),
        "$.ignition.config.append.0.source",
        A_CONFIG,
        USE_HASH,
        about('"config": {"append": [{"source": "https://x/a"}]}', "2.0.0"),
        version="2.0.0",
    ),
    Row(
        "W17",
        about('"security": {"tls": {"certificateAuthorities": [{"source": ▸"http://x/a"}]}}'),
        "$.ignition.security.tls.certificateAuthorities.0.source",
        f"a certificate authority, on which https depends, {PLAIN} without a hash: {REPLACE}",
        USE_HASH,
        about('"security": {"tls": {"certificateAuthorities": [{"source": "data:,x"}]}}'),
    ),
    Row(
        "W17",
        fetched("/opt/a", "tftp://x/a", '"mode": 493, '),
        "$.storage.files.0.contents.source",
        f"a program is fetched over plain tftp without a hash: {REPLACE}",
        USE_HASH,
        fetched("/opt/a", "tftp://x/a", '"mode": 420, ', mark=""),
    ),
]

NO_HASH = "not a crypt(5) hash: no password matches it, and a config must not contain a password in plain text"
MAKE = "generate one with mkpasswd or openssl passwd -6"
COPY = "copy the whole line of the .pub file"
SSH = "$.passwd.users.0.sshAuthorizedKeys.0"
USERS = [
    Row(
        "W18",
        user('"name": "a", "passwordHash": ▸"hunter2"'),
        "$.passwd.users.0.passwordHash",
        NO_HASH,
        MAKE,
        user(
            f'"name": "a", "passwordHash": "{HASH_512}"',
            '{"name": "b", "passwordHash": "*"}',
            '{"name": "c", "passwordHash": "!"}',
        ),
    ),
    Row(
        "W18",
        user(f'"name": "a", "passwordHash": ▸"{HASH_512[:-1]}"'),
        "$.passwd.users.0.passwordHash",
        "the hash is truncated or malformed: no password matches it",
        MAKE,
        user(
            f'"name": "a", "passwordHash": "!{HASH_512}"',
            '{"name": "b", "passwordHash": "$y$j9T$abc$' + "a" * 43 + '"}',
            '{"name": "c", "passwordHash": "$5$rounds=5000$salt$' + "a" * 43 + '"}',
            '{"name": "d", "passwordHash": "$2b$12$' + "a" * 53 + '"}',
            '{"name": "e", "passwordHash": "abJnggxhB/yWI"}',
        ),
    ),
    Row(
        "W19",
        user('"name": "a", "sshAuthorizedKeys": [▸"a@example"]'),
        SSH,
        "not a line of an authorized_keys file: the key type is missing, such as ssh-ed25519",
        COPY,
        user(f'"name": "a", "sshAuthorizedKeys": ["{KEY}", "from=\\"10.0.0.0/8\\",no-pty {KEY} a b c", "# old", ""]'),
    ),
    Row(
        "W19",
        user(f'"name": "a", "sshAuthorizedKeys": [▸"{KEY[:-3]}"]'),
        SSH,
        "the data of this ssh-ed25519 key is truncated or malformed: sshd ignores it",
        COPY,
        user(f'"name": "a", "sshAuthorizedKeys": ["{KEY}"]'),
    ),
    Row(
        "W19",
        user('"name": "a", "sshAuthorizedKeys": [▸"-----BEGIN OPENSSH PRIVATE KEY-----"]'),
        SSH,
        "this is a private key: it must not be in a config, and sshd needs the public one",
        COPY,
        user(f'"name": "a", "sshAuthorizedKeys": ["{KEY} my PRIVATE-KEY"]'),
    ),
]

OURS = "other programs warn about it and ignore it"
NOTHING = "ignore this if the config is for machines that this program provisions"
BITS = '"x-coreos": {"attributes": {"set": ["59"]}}'

EXTENSIONS = [
    Row(
        "W21",
        disk('{"number": 1}', f'{{"number": 2, ▸{BITS}}}', wipe=False),
        f"{PARTS}1.x-coreos",
        f"x-coreos is an extension of this program: {OURS}",
        NOTHING,
        disk('{"number": 1, "x-coreos": {"attributes": {"set": []}}}', wipe=False),
        level="info",
    ),
    Row(
        "W21",
        disk('{"number": 1, ▸' + BITS + "}", f'{{"number": 2, {BITS}}}', wipe=False),
        f"{PARTS}0.x-coreos",
        f"x-coreos is an extension of this program (here and in 1 more place): {OURS}",
        NOTHING,
        disk('{"number": 1, "x-coreos": {}}', wipe=False),
        level="info",
    ),
]

JWE = "eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ..aXY.dGV4dA.dGFn"  # its header is {"clevis":{"pin":"tpm2"}}
SEALED = f'"source": "data:,{JWE}"'
IGNORED = "other programs do not know sealed content{}: they would use the sealed text as it is"
FOR_US = "use this config only for machines that this program provisions"

SEALED_CONTENT = [
    Row(
        "W32",
        files(f'{{"path": "/etc/a", "contents": {{{SEALED}, ▸"x-coreos": {{"sealed": true}}}}}}'),
        "$.storage.files.0.contents.x-coreos",
        IGNORED.format(""),
        FOR_US,
        files(f'{{"path": "/etc/a", "contents": {{{SEALED}}}}}'),
    ),
]

ROWS = [*TRANSPORT, *SEALED_CONTENT, *USERS, *EXTENSIONS]
