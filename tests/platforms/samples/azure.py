"""docs/reference/platforms.md §10.3."""

import base64
import json

from tests.platforms.samples import CONFIG, KEY, Sample

FABRIC = "168.63.129.16"
COMPUTE = "/metadata/instance/compute"
VERSIONS = (
    '<?xml version="1.0" encoding="utf-8"?><Versions><Preferred><Version>2015-04-05</Version></Preferred>'
    "<Supported><Version>2015-04-05</Version><Version>2012-11-30</Version></Supported></Versions>"
)
GOAL_STATE = (
    "<GoalState><Version>2012-11-30</Version><Incarnation>1</Incarnation><Container><ContainerId>c-1</ContainerId>"
    "<RoleInstanceList><RoleInstance><InstanceId>_web-1</InstanceId><Configuration>"
    f"<SharedConfig>http://{FABRIC}/machine/c-1/_web-1?comp=config&amp;type=sharedConfig</SharedConfig>"
    f"<Certificates>http://{FABRIC}/machine/c-1/_web-1?comp=certificates</Certificates>"
    "</Configuration></RoleInstance></RoleInstanceList></Container></GoalState>"
)
SHARED_CONFIG = (
    '<SharedConfig><Incarnation number="1" instance="_web-1"/><Instances>'
    '<Instance id="_web-2" address="10.0.0.9"/>'
    '<Instance id="_web-1" address="10.0.0.4"><InputEndpoints>'
    '<Endpoint name="ssh" loadBalancedPublicAddress="203.0.113.9:22" protocol="tcp"/><Endpoint name="other"/>'
    "</InputEndpoints></Instance></Instances></SharedConfig>"
)
SHARED_CONFIG_PATH = "/machine/c-1/_web-1?comp=config&type=sharedConfig"
IMDS_HEADERS = {"Metadata": "true", "x-ms-agent-name": "com.coreos.afterburn", "x-ms-version": "2012-11-30"}
KEYS_PATH = f"{COMPUTE}/publicKeys?api-version=2021-02-01"
ADMIN_PATH = f"{COMPUTE}/osProfile/adminUsername?api-version=2021-02-01&format=text"
NAME_PATH = f"{COMPUTE}/name?api-version=2017-08-01&format=text"
USER_DATA_PATH = f"{COMPUTE}/userData?api-version=2021-01-01&format=text"
SAMPLE = Sample(
    {
        NAME_PATH: "web-1",
        f"{COMPUTE}/vmSize?api-version=2017-08-01&format=text": "Standard_B1s",
        KEYS_PATH: json.dumps([{"keyData": f"{KEY[:40]}\r\n{KEY[40:]}\r\n", "path": "/home/core/.ssh/authorized_keys"}]),
        ADMIN_PATH: "core",
        "/?comp=versions": VERSIONS,
        "/machine/?comp=goalstate": GOAL_STATE,
        SHARED_CONFIG_PATH: SHARED_CONFIG,
    },
    more_addresses=(FABRIC,),
    config_path=USER_DATA_PATH,
    config_body=base64.b64encode(CONFIG),
    none_if_404=False,
    attributes={
        "AFTERBURN_AZURE_IPV4_DYNAMIC": "10.0.0.4",
        "AFTERBURN_AZURE_IPV4_VIRTUAL": "203.0.113.9",
        "AFTERBURN_AZURE_VMSIZE": "Standard_B1s",
        "COREOS_AZURE_IPV4_DYNAMIC": "10.0.0.4",
        "COREOS_AZURE_IPV4_VIRTUAL": "203.0.113.9",
    },
    hostname="web-1",
    ssh_keys=[KEY],
    demands={
        USER_DATA_PATH: {"Metadata": "true"},
        NAME_PATH: IMDS_HEADERS,
        KEYS_PATH: IMDS_HEADERS,
        "/machine/?comp=goalstate": {"x-ms-agent-name": "com.coreos.afterburn", "x-ms-version": "2012-11-30", "Metadata": None},
        SHARED_CONFIG_PATH: {"x-ms-version": "2012-11-30"},
    },
)
