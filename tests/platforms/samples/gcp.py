"""docs/reference/platforms.md §10.2."""

from tests.platforms.samples import KEY, Sample

BASE = "/computeMetadata/v1"
SAMPLE = Sample(
    {
        f"{BASE}/instance/hostname": "web-1.europe-west1-b.c.example-project.internal",
        f"{BASE}/instance/machine-type": "projects/123456789012/machineTypes/e2-small",
        f"{BASE}/instance/network-interfaces/0/ip": "10.132.0.7",
        f"{BASE}/instance/network-interfaces/0/access-configs/0/external-ip": "",
        f"{BASE}/instance/attributes/ssh-keys": f"core:{KEY}\nadmin:{KEY}",
        f"{BASE}/instance/attributes/block-project-ssh-keys": "true",
        f"{BASE}/project/attributes/ssh-keys": f"core:{KEY}\n",
    },
    config_path=f"{BASE}/instance/attributes/user-data",
    attributes={
        "AFTERBURN_GCP_HOSTNAME": "web-1.europe-west1-b.c.example-project.internal",
        "AFTERBURN_GCP_IP_LOCAL_0": "10.132.0.7",
        "AFTERBURN_GCP_MACHINE_TYPE": "projects/123456789012/machineTypes/e2-small",
        "COREOS_GCE_HOSTNAME": "web-1.europe-west1-b.c.example-project.internal",
        "COREOS_GCE_IP_LOCAL_0": "10.132.0.7",
    },
    hostname="web-1.europe-west1-b.c.example-project.internal",
    ssh_keys=[KEY, KEY],
    optional=(f"{BASE}/instance/network-interfaces/0/ip", f"{BASE}/instance/hostname"),
    demands={"": {"Metadata-Flavor": "Google"}},
)
