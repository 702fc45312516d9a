"""What is particular about Azure: two services, the drive, the check-in, the first user. The rest: samples/azure.py."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.metadata.reader import Reader
from ignition.platforms import azure
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples import CONFIG, KEY
from tests.platforms.samples.azure import (
    ADMIN_PATH,
    FABRIC,
    GOAL_STATE,
    KEYS_PATH,
    NAME_PATH,
    SHARED_CONFIG,
    SHARED_CONFIG_PATH,
    USER_DATA_PATH,
)
from tests.platforms.test_samples import config_of, leases, read, service

__all__ = ["machine"]
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("machine")]
SAMPLE = samples.load("azure")
(TABLE,) = platforms.metadata("azure")
ENVIRONMENT = b"""<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
<wa:ProvisioningSection><wa:Version>1.0</wa:Version>
<LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure"><HostName>web-1</HostName>
<UserName>core</UserName><AdminPassword>example-pw</AdminPassword></LinuxProvisioningConfigurationSet>
</wa:ProvisioningSection></Environment>"""
DISC = {"ovf-env.xml": ENVIRONMENT, "CustomData.bin": b'{"custom": true}'}
HEALTH = "/machine/?comp=health"
GOAL = "/machine/?comp=goalstate"


@pytest.fixture
def without_user_data() -> Iterator[None]:
    with service(SAMPLE, {USER_DATA_PATH: Reply(200)}):
        yield


@pytest.mark.parametrize("status", [404, 410, 429])
def test_user_data_that_is_not_there_yet_is_waited_for(status: int) -> None:
    with service(SAMPLE, {USER_DATA_PATH: [Reply(status), SAMPLE.answers[USER_DATA_PATH]]}):
        assert config_of("azure") == CONFIG


def test_user_data_comes_before_the_drive(machine: Machine) -> None:
    machine.attach("udf", DISC)
    with service(SAMPLE):
        assert config_of("azure") == CONFIG


@pytest.mark.usefixtures("without_user_data")
def test_custom_data_is_read_from_the_drive(machine: Machine) -> None:
    machine.attach("udf", DISC)
    machine.late = 2
    assert config_of("azure") == b'{"custom": true}'


@pytest.mark.usefixtures("without_user_data")
@pytest.mark.parametrize(
    "files", [{"ovf-env.xml": b""}, {"ovf-env.xml": b"", "CustomData.bin": b""}, {"CustomData.bin": b"another disc's"}]
)
def test_no_custom_data_is_no_config(machine: Machine, files: dict[str, bytes]) -> None:
    machine.attach("udf", files)
    assert config_of("azure") == b""


@pytest.mark.usefixtures("without_user_data")
def test_drive_that_cannot_be_read_ends_the_boot(machine: Machine) -> None:
    machine.attach("udf", DISC)
    machine.broken.add("udf")
    with pytest.raises(Failure, match=r"^disc \(udf\) with the file ovf-env.xml: mounting .*: wrong fs type"):
        config_of("azure")


@pytest.mark.usefixtures("without_user_data")
def test_drive_of_another_format_is_not_looked_for(machine: Machine) -> None:
    machine.attach("iso9660", DISC)
    assert config_of("azure") == b""


@pytest.mark.parametrize(("status", "ready"), [(4, True), (2, False), (3, False), (1, False)])
def test_optical_drive_is_ready_when_its_disc_is(
    status: int, ready: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def ioctl(_: int, request: int, argument: int) -> int:
        asked.append((request, argument))
        return status

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    assert azure.is_ready(str(tmp_path)) is ready
    assert asked == [(0x5326, 0x7FFFFFFF)]


def test_what_is_no_optical_drive_is_ready_and_what_is_not_there_is_not(tmp_path: Path) -> None:
    assert azure.is_ready(str(tmp_path))
    assert not azure.is_ready(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("lease", "address"),
    [
        ("", FABRIC),
        ("OPTION_245=a83f8110", "168.63.129.16"),
        ("OPTION_245=0a:00:00:01", "10.0.0.1"),
        ("OPTION_245=0a0000", FABRIC),
        ("OPTION_245=x", FABRIC),
    ],
)
def test_address_of_the_fabric(lease: str, address: str) -> None:
    with leases({"2": lease}):
        assert azure.address() == address


def test_each_service_is_asked_at_its_address() -> None:
    with service(SAMPLE) as server:
        read("azure", lambda reader: (reader.attributes(), reader.hostname()))
        hosts = {request.path: request.headers["Host"] for request in server.requests}
    assert hosts[GOAL] == hosts[SHARED_CONFIG_PATH] == hosts["/?comp=versions"] == FABRIC
    assert hosts[NAME_PATH] == "169.254.169.254"


def test_hostname_and_keys_do_not_need_the_fabric() -> None:
    with service(SAMPLE, {"/?comp=versions": Reply(401)}):
        assert read("azure", lambda reader: (reader.hostname(), reader.ssh_keys())) == ("web-1", [KEY])


@pytest.mark.parametrize(
    ("path", "body", "what", "place"),
    [
        (
            "/?comp=versions",
            b"<Versions><Preferred><Version>2012-11-30</Version></Preferred></Versions>",
            "the fabric does not support protocol version 2012-11-30",
            f"http://{FABRIC}/?comp=versions",
        ),
        ("/?comp=versions", b"<html>", "the metadata is not valid XML", f"http://{FABRIC}/?comp=versions"),
        (GOAL, b"{}", "the metadata is not valid XML", "machine/?comp=goalstate"),
        (
            GOAL,
            b"<GoalState/>",
            "Container/RoleInstanceList/RoleInstance/Configuration/SharedConfig is missing",
            "machine/?comp=goalstate",
        ),
        (SHARED_CONFIG_PATH, b"", "the metadata is not valid XML", f"http://{FABRIC}{SHARED_CONFIG_PATH}"),
    ],
)
def test_wrong_document_is_named(path: str, body: bytes, what: str, place: str) -> None:
    with service(SAMPLE, {path: Reply(body=body)}), pytest.raises(Failure) as caught:
        read("azure", lambda reader: reader.attributes())
    assert (caught.value.what, caught.value.where) == (what, place)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (("_web-1", "_web-3", 1), {"IPV4_DYNAMIC", "IPV4_VIRTUAL"}),
        (("<InputEndpoints>", "<Other>", 1), {"IPV4_VIRTUAL"}),
        (('loadBalancedPublicAddress="203.0.113.9:22"', 'loadBalancedPublicAddress=""', 1), {"IPV4_VIRTUAL"}),
        (("<Incarnation ", "<Other ", 1), {"IPV4_DYNAMIC", "IPV4_VIRTUAL"}),
    ],
)
def test_address_that_the_machine_does_not_have_is_left_out(change: tuple[str, str, int], missing: set[str]) -> None:
    text = SHARED_CONFIG.replace(*change).replace("</InputEndpoints>", "</Other>" if "<Other>" in change else "</InputEndpoints>")
    with service(SAMPLE, {SHARED_CONFIG_PATH: Reply(body=text.encode())}):
        found = read("azure", lambda reader: reader.attributes())
    assert isinstance(found, dict)
    assert {name.removeprefix("AFTERBURN_AZURE_") for name in SAMPLE.attributes or {} if name not in found} == {
        *missing,
        *(f"COREOS_AZURE_{name}" for name in missing),
    }


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"[1]", "the document is not a list of objects"),
    ],
)
def test_wrong_key_is_refused(body: bytes, what: str) -> None:
    with service(SAMPLE, {KEYS_PATH: Reply(body=body)}), pytest.raises(Failure) as caught:
        read("azure", lambda reader: reader.ssh_keys())
    assert caught.value.what == what
    assert caught.value.where == f"http://169.254.169.254{KEYS_PATH}"


@pytest.mark.parametrize("empty", ['{"keyData":""}', "{}", '{"keyData":null}'])
def test_empty_key_is_left_out(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    with service(SAMPLE, {KEYS_PATH: Reply(body=f'[{empty},{{"keyData":"ssh-rsa A"}}]'.encode())}):
        assert read("azure", lambda reader: reader.ssh_keys()) == ["ssh-rsa A"]
    assert "a public key is empty: ignored" in capsys.readouterr().out


def check_in(reader: Reader) -> object:
    assert TABLE.check_in
    TABLE.check_in(reader)
    return None


def test_check_in_says_that_the_machine_is_ready() -> None:
    with service(SAMPLE, {HEALTH: Reply(200)}) as server:
        read("azure", check_in)
        (request,) = [one for one in server.requests if one.path == HEALTH]
    assert (request.method, request.headers["Host"]) == ("POST", FABRIC)
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["x-ms-version"] == "2012-11-30"
    text = request.body.decode()
    assert text.startswith(
        '<?xml version="1.0" encoding="utf-8"?>\n<Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    assert "".join(line.strip() for line in text.splitlines()[2:]) == (
        "<GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>c-1</ContainerId><RoleInstanceList><Role>"
        "<InstanceId>_web-1</InstanceId><Health><State>Ready</State></Health></Role></RoleInstanceList></Container></Health>"
    )


def test_refused_check_in_is_tried_with_a_new_goal_state() -> None:
    second = GOAL_STATE.replace("<Incarnation>1<", "<Incarnation>2&amp;<").encode()
    changes = {HEALTH: [Reply(400), Reply(200)], GOAL: [Reply(body=GOAL_STATE.encode()), Reply(body=second)]}
    with service(SAMPLE, changes) as server:
        read("azure", check_in)
        bodies = [one.body for one in server.requests if one.path == HEALTH]
    assert [b"<GoalStateIncarnation>1<" in bodies[0], b"<GoalStateIncarnation>2&amp;<" in bodies[1]] == [True, True]


def test_check_in_gives_up_after_five_goal_states() -> None:
    with service(SAMPLE, {HEALTH: Reply(400)}) as server, pytest.raises(Failure, match="HTTP status 400"):
        read("azure", check_in)
    assert server.paths().count(HEALTH) == 5


def first_user(reader: Reader) -> object:
    assert TABLE.first_user
    found = TABLE.first_user(reader)
    return found and (found.name, found.ssh_keys, found.password)


@pytest.mark.parametrize("format", ["udf", "iso9660"])
def test_first_user_has_the_password_of_the_drive(machine: Machine, format: str) -> None:
    machine.attach(format, DISC)
    with service(SAMPLE):
        assert read("azure", first_user) == ("core", [KEY], "example-pw")


@pytest.mark.parametrize(
    ("environment", "password"),
    [
        (b"<Environment/>", ""),
        (b"<a><adminPassword>pw</adminPassword></a>", "pw"),
        (b"<a><AdminPassword/></a>", ""),
        (b"", ""),
    ],
)
def test_password_is_what_the_drive_says(machine: Machine, environment: bytes, password: str) -> None:
    machine.attach("udf", {"ovf-env.xml": environment})
    assert azure.admin_password(("udf",)) == password


@pytest.mark.parametrize("state", ["absent", "broken"])
def test_drive_that_cannot_be_read_has_no_password(machine: Machine, state: str) -> None:
    if state == "broken":
        machine.attach("udf", DISC)
        machine.broken.add("udf")
    with service(SAMPLE):
        assert read("azure", first_user) == ("core", [KEY], "")


def test_environment_that_is_no_xml_is_refused(machine: Machine) -> None:
    machine.attach("udf", {"ovf-env.xml": b"{}"})
    with pytest.raises(Failure) as caught:
        azure.admin_password(("udf",))
    assert (caught.value.what, caught.value.where) == ("not valid XML", "ovf-env.xml")


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n"])
def test_machine_without_admin_has_no_first_user(body: bytes) -> None:
    with service(SAMPLE, {ADMIN_PATH: Reply(200, body)}):
        assert read("azure", first_user) is None


def test_blanks_around_the_name_of_the_admin_are_no_part_of_it() -> None:
    with service(SAMPLE, {ADMIN_PATH: Reply(200, b" core \r\n")}):
        assert read("azure", first_user) == ("core", [KEY], "")


def test_keys_without_data_are_refused() -> None:
    with (
        service(SAMPLE, {KEYS_PATH: Reply(200, b'[{"keyData": ""}, {"keyData": "\\r\\n"}, {}]')}),
        pytest.raises(Failure) as caught,
    ):
        read("azure", first_user)
    assert caught.value.what == "every public key is empty"
