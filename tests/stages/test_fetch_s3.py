"""A machine of EC2 from its user data to a file on disk: both the config it refers to and the file are private objects of S3."""

import json
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from ignition.config import dataurl
from tests.fetch.certificates import Certificates, make
from tests.fetch.s3_server import Bucket
from tests.fetch.server import Reply
from tests.fetch.test_s3 import cloud, instance
from tests.stages.conftest import Boot

pytestmark = pytest.mark.root


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """An authority and servers' contexts."""
    (tmp_path / "certificates").mkdir()
    return make(tmp_path / "certificates")


def config(**members: object) -> bytes:
    return json.dumps({"ignition": {"version": "3.4.0"}, **members}).encode()


@pytest.mark.parametrize("platform", ["aws", "ec2"])
def test_private_config_and_file_arrive(boot: Boot, certificates: Certificates, platform: str) -> None:
    files = [{"path": "/opt/secret", "contents": {"source": "arn:aws:s3:::bucket/secret?versionId=2"}, "mode": 384}]
    objects: dict[str | tuple[str, str], bytes] = {
        "machine.ign": config(storage={"files": files}),
        ("secret", "2"): b"for this machine",
    }
    authority = {"source": dataurl.encode(certificates.authority)}
    about = {
        "version": "3.4.0",
        "security": {"tls": {"certificateAuthorities": [authority]}},
        "config": {"merge": [{"source": "s3://bucket/machine.ign"}]},
    }
    user_data = {"/2019-10-01/user-data": Reply(body=json.dumps({"ignition": about}).encode())}
    root = boot.top / "root"
    root.mkdir()
    flags = ["-platform", platform, "-root", str(root), "-log-to-stdout", "-config-cache", str(boot.run / "cache.json")]
    flags += ["-state-file", str(boot.run / "state"), "-neednet", str(boot.run / "neednet")]
    with cloud(certificates, {"bucket": Bucket(objects)}, {**instance(), **user_data}) as one:
        for stage in ("fetch", "files"):
            assert main(["-stage", stage, *flags]) == 0
        assert [seen.signed for seen in one.s3.seen] == [True, True]
    assert (root / "opt/secret").read_bytes() == b"for this machine"
