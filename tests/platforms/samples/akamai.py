"""docs/reference/platforms.md §10.11."""

import base64

from tests.platforms.samples import CONFIG, KEY, Sample

TOKEN = "2f6c1b0000000000000000000000000000000000000000000000000000000000"
INSTANCE = (
    '{"id":12345678,"host_uuid":"3a3ddd59","label":"web-1","region":"us-ord","type":"g6-nanode-1","tags":["a","b"],'
    '"specs":{"vcpus":1,"memory":1024,"disk":25600,"transfer":1000,"gpus":0},"backups":{"enabled":false,"status":null}}'
)
NETWORK = (
    '{"interfaces":[{"id":1,"purpose":"public","label":null,"ipam_address":null}],'
    '"ipv4":{"public":["198.51.100.40/32"],"private":["192.168.130.2/17","192.168.130.3/17"],"shared":[]},'
    '"ipv6":{"slaac":"2001:db8::f03c:1/128","ranges":["2001:db8:5::/64"],"link_local":"fe80::f03c:1/128","shared_ranges":[]}}'
)
SAMPLE = Sample(
    {
        "/v1/token": f"{TOKEN}\n",
        "/v1/instance": INSTANCE,
        "/v1/network": NETWORK,
        "/v1/ssh-keys": f'{{"users":{{"root":["{KEY}"],"core":["{KEY}"]}}}}',
    },
    config_path="/v1/user-data",
    config_body=base64.b64encode(CONFIG),
    none_if_404=False,
    attributes={
        "AFTERBURN_AKAMAI_INSTANCE_ID": "12345678",
        "AFTERBURN_AKAMAI_INSTANCE_HOST_UUID": "3a3ddd59",
        "AFTERBURN_AKAMAI_INSTANCE_LABEL": "web-1",
        "AFTERBURN_AKAMAI_INSTANCE_REGION": "us-ord",
        "AFTERBURN_AKAMAI_INSTANCE_TYPE": "g6-nanode-1",
        "AFTERBURN_AKAMAI_INSTANCE_TAGS": "a:b",
        "AFTERBURN_AKAMAI_PUBLIC_IPV4_0": "198.51.100.40/32",
        "AFTERBURN_AKAMAI_PRIVATE_IPV4_0": "192.168.130.2/17",
        "AFTERBURN_AKAMAI_PRIVATE_IPV4_1": "192.168.130.3/17",
        "AFTERBURN_AKAMAI_IPV6_SLAAC": "2001:db8::f03c:1/128",
        "AFTERBURN_AKAMAI_IPV6_LINK_LOCAL": "fe80::f03c:1/128",
        "AFTERBURN_AKAMAI_IPV6_RANGE_0": "2001:db8:5::/64",
    },
    ssh_keys=[KEY, KEY],
    demands={
        "/v1/token": {"Metadata-Token-Expiry-Seconds": "300", "Accept": "text/plain"},
        "/v1/user-data": {"Metadata-Token": TOKEN, "Accept": "*/*"},
        "/v1/instance": {"Metadata-Token": TOKEN, "Accept": "application/json"},
        "/v1/network": {"Metadata-Token": TOKEN, "Accept": "application/json"},
    },
)
