"""docs/reference/platforms.md §10.9."""

from tests.platforms.samples import KEY, Sample

SAMPLE = Sample(
    {
        "/v1/hostname": "web-1",
        "/v1/instanceid": "42872224",
        "/v1/region/regioncode": "FRA",
        "/v1/public-keys": f"{KEY}\n{KEY}\n",
    },
    config_path="/user-data/user-data",
    attributes={
        "AFTERBURN_VULTR_HOSTNAME": "web-1",
        "AFTERBURN_VULTR_INSTANCE_ID": "42872224",
        "AFTERBURN_VULTR_REGION_CODE": "FRA",
    },
    hostname="web-1",
    ssh_keys=[KEY, KEY],
    optional=("/v1/hostname", "/v1/instanceid", "/v1/region/regioncode"),
)
