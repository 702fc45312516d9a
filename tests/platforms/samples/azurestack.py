"""docs/reference/platforms.md §10.4."""

from tests.platforms.samples import DriveSample, Sample
from tests.platforms.samples.azure import FABRIC, GOAL_STATE, IMDS_HEADERS, VERSIONS

IDENTITY = "/Microsoft.Compute/identity?api-version=2019-03-11"
CERTIFICATES_PATH = "/machine/c-1/_web-1?comp=certificates"
CERTIFICATES = f"<Certificates>http://{FABRIC}{CERTIFICATES_PATH.replace('&', '&amp;')}</Certificates>"
SAMPLE = Sample(
    {
        IDENTITY: '{"vmName":"web-1"}',
        "/?comp=versions": VERSIONS,
        "/machine/?comp=goalstate": GOAL_STATE.replace(CERTIFICATES, ""),
    },
    more_addresses=(FABRIC,),
    attributes={},
    hostname="web-1",
    demands={IDENTITY: IMDS_HEADERS},
)
DRIVES = tuple(
    DriveSample(format, {"ovf-env.xml": "<Environment/>"}, config_path="CustomData.bin") for format in ("udf", "iso9660")
)
