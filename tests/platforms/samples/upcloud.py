"""docs/reference/platforms.md §10.9."""

from tests.platforms.samples import KEY, Sample

BASE = "/metadata/v1"
SAMPLE = Sample(
    {
        f"{BASE}/hostname": "web-1",
        f"{BASE}/instance_id": "00e1f0c2-5a4b-4e5f-8c6d-2b3f4a5b6c7d",
        f"{BASE}/region": "fi-hel1",
        f"{BASE}/public_keys": f"{KEY}\n{KEY}",
    },
    config_path=f"{BASE}/user_data",
    attributes={
        "AFTERBURN_UPCLOUD_HOSTNAME": "web-1",
        "AFTERBURN_UPCLOUD_INSTANCE_ID": "00e1f0c2-5a4b-4e5f-8c6d-2b3f4a5b6c7d",
        "AFTERBURN_UPCLOUD_REGION": "fi-hel1",
    },
    hostname="web-1",
    ssh_keys=[KEY, KEY],
    optional=(f"{BASE}/hostname", f"{BASE}/instance_id", f"{BASE}/region"),
)
