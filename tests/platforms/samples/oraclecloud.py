"""docs/reference/platforms.md §10.12."""

import base64
import json

from tests.platforms.samples import CONFIG, KEY, Sample

INSTANCE = {
    "availabilityDomain": "EMIr:EU-FRANKFURT-1-AD-1",
    "canonicalRegionName": "eu-frankfurt-1",
    "compartmentId": "ocid1.tenancy.oc1..aaaa",
    "displayName": "the web server",
    "faultDomain": "FAULT-DOMAIN-3",
    "hostname": "web-1",
    "id": "ocid1.instance.oc1.eu-frankfurt-1.bbbb",
    "region": "eu-frankfurt-1",
    "shape": "VM.Standard.E4.Flex",
    "metadata": {"ssh_authorized_keys": f"{KEY}\n{KEY}", "user_data": base64.b64encode(CONFIG).decode()},
}
SAMPLE = Sample(
    {"/opc/v2/instance": json.dumps(INSTANCE)},
    config_path="/opc/v2/instance/metadata/user_data",
    config_body=base64.b64encode(CONFIG),
    attributes={
        "AFTERBURN_ORACLECLOUD_AVAILABILITY_DOMAIN": "EMIr:EU-FRANKFURT-1-AD-1",
        "AFTERBURN_ORACLECLOUD_COMPARTMENT_ID": "ocid1.tenancy.oc1..aaaa",
        "AFTERBURN_ORACLECLOUD_FAULT_DOMAIN": "FAULT-DOMAIN-3",
        "AFTERBURN_ORACLECLOUD_HOSTNAME": "web-1",
        "AFTERBURN_ORACLECLOUD_INSTANCE_ID": "ocid1.instance.oc1.eu-frankfurt-1.bbbb",
        "AFTERBURN_ORACLECLOUD_INSTANCE_SHAPE": "VM.Standard.E4.Flex",
        "AFTERBURN_ORACLECLOUD_REGION_ID": "eu-frankfurt-1",
        "COREOS_ORACLE_OCI_DISPLAY_NAME": "the web server",
        "COREOS_ORACLE_OCI_INSTANCE_ID": "ocid1.instance.oc1.eu-frankfurt-1.bbbb",
        "COREOS_ORACLE_OCI_REGION": "eu-frankfurt-1",
    },
    hostname="web-1",
    ssh_keys=[KEY, KEY],
    demands={"": {"Authorization": "Bearer Oracle"}},
)
