"""What is particular about Oracle's service: it limits rates, and keys are one text. The rest: samples/oraclecloud.py."""

import json

import pytest

from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.samples import CONFIG
from tests.platforms.samples.oraclecloud import INSTANCE
from tests.platforms.test_samples import config_of, read, service

pytestmark = pytest.mark.root
SAMPLE = samples.load("oraclecloud")


def test_too_many_requests_are_waited_for() -> None:
    path = str(SAMPLE.config_path)
    with service(SAMPLE, {path: [Reply(429), SAMPLE.answers[path]]}):
        assert config_of("oraclecloud") == CONFIG


def test_id_of_earlier_times() -> None:
    with service(SAMPLE):
        assert config_of("oracle-oci") == CONFIG
        assert read("oracle-oci", lambda reader: reader.attributes()) == SAMPLE.attributes


@pytest.mark.parametrize("metadata", [None, {}, {"ssh_authorized_keys": None}, {"ssh_authorized_keys": ""}])
def test_machine_without_keys(metadata: object) -> None:
    with service(SAMPLE, {"/opc/v2/instance": Reply(body=json.dumps(INSTANCE | {"metadata": metadata}).encode())}):
        assert read("oraclecloud", lambda reader: reader.ssh_keys()) == []


def test_keys_may_be_a_list() -> None:
    body = json.dumps(INSTANCE | {"metadata": {"ssh_authorized_keys": ["k\nl", "m"]}}).encode()
    with service(SAMPLE, {"/opc/v2/instance": Reply(body=body)}):
        assert read("oraclecloud", lambda reader: reader.ssh_keys()) == ["k", "l", "m"]
