"""The machine's file names, in one place. Functions return those that an environment variable can override (tests, images)."""

from __future__ import annotations

import os

ENVIRONMENT = "/run/ignition.env"  # of a first boot: PLATFORM_ID=
CONFIG_CACHE = "/run/ignition.json"
RUN = "/run/ignition"
NEEDNET = f"{RUN}/neednet"
STATE = f"{RUN}/state"
OPERATIONS = "operations.jsonl"  # beside the state file
WARNINGS = "warnings.jsonl"  # beside the state file: the warnings that were logged, but those of operations
FAILURE = "failure.txt"  # beside the state file
FAILURE_RECORD = "failure.json"  # beside the state file: stage, place, cause and remedy of the failure that the screen shows
REPORT_TO = "report-to.json"  # beside the state file: where the outcome is sent, and how that server is reached
LASTING = "lasting"  # beside the state file: a failure that the same config would cause again, with the digest of that config
TEXTS = "texts"  # beside the state file: the texts of the config, 0600
PLACES = "places.json"  # instead, where there are no texts: the place of each value in the sources of the config
RETRY_CONFIG, RETRY_URL = "retry.ign", "retry.url"  # beside the state file: the config of `ignition retry`, or its URL
CONFIG_DIGEST = "config.sha512"  # beside the state file
CONFIG_SERIAL = "config-serial"  # beside the state file: the serial of the first config, if it has one
FLAGGED = f"{RUN}/flagged"  # the boot loader saw the flag of a first boot
INITRD_RELEASE = "/etc/initrd-release"  # only in an initramfs
DEVICE_ALIASES = f"{RUN}/dev_aliases"
ESP = "/dev/disk/by-label/EFI-SYSTEM"  # where the boot loader and the first-boot flag are
RESULT = "/etc/.ignition-result.json"  # in the new root
REPORT = "/var/lib/ignition/report.json"  # in the new root
APPLIED = "/var/lib/ignition/applied.json"  # in the new root
ATTEMPT = "/var/lib/ignition/attempt.json"  # in the new root, only while the files stage runs
ISSUE = "50-ignition.issue"  # in issue_directory(); agetty reads names that end in .issue
PRESET = "/etc/systemd/system-preset/20-ignition.preset"  # in the new root
UNITS = "/etc/systemd/system"  # in the new root
NETWORKD = "/etc/systemd/network"  # in the new root


def _from_environment(variable: str, default: str) -> str:
    # An empty value counts as unset, as in Ignition.
    return os.environ.get(variable) or default


def kernel_cmdline() -> str:
    """The file with the kernel command line."""
    return _from_environment("IGNITION_KERNEL_CMDLINE_PATH", "/proc/cmdline")


def system_config_dirs() -> tuple[str, ...]:
    """Directories of base.d, base.platform.d, base.ign, user.ign and default.ign, highest priority first (Ignition 2.27)."""
    return (
        _from_environment("IGNITION_SYSTEM_RUNTIME_CONFIG_DIR", "/run/ignition"),
        _from_environment("IGNITION_SYSTEM_LOCAL_CONFIG_DIR", "/etc/ignition"),
        _from_environment("IGNITION_SYSTEM_CONFIG_DIR", "/usr/lib/ignition"),
    )


def features_file() -> str:
    """The features of an initramfs, one per line; written by the dracut module."""
    return _from_environment("IGNITION_FEATURES_PATH", "/usr/lib/coreos-ignition/features")


def vendor_configs() -> str:
    """Where the fetch stages put a base.ign from the OEM partition, for the later stages."""
    return f"{system_config_dirs()[0]}/vendor"


def sysroot() -> str:
    """Where the initramfs mounts the root to be provisioned."""
    return os.path.abspath(_from_environment("IGNITION_SYSROOT", "/sysroot")).rstrip("/")


def issue_directory() -> str:
    """Where agetty(8) looks for texts above the login prompt that are for this boot only."""
    return _from_environment("IGNITION_ISSUE_DIR", "/run/issue.d")


def initrd_release() -> str:
    """The file that only an initramfs has."""
    return _from_environment("IGNITION_INITRD_RELEASE", INITRD_RELEASE)


def units_of_this_boot() -> str:
    """Units that are gone after the next reboot, systemd.unit(5); they survive the switch to the real root."""
    return _from_environment("IGNITION_RUN_UNITS", "/run/systemd/system")


def config_file() -> str:
    """The file of `-platform file`."""
    return _from_environment("IGNITION_CONFIG_FILE", "config.ign")


def oem_lookaside() -> str:
    """The directory in which `oem` URLs are looked up before the OEM partition, in this system and then in the new root (2.x)."""
    return os.path.abspath(_from_environment("IGNITION_OEM_LOOKASIDE_DIR", "/usr/share/oem")).rstrip("/")


def oem_device() -> str:
    """The OEM partition (2.x)."""
    return _from_environment("IGNITION_OEM_DEVICE", "/dev/disk/by-label/OEM")


def boot_device() -> str:
    """The partition that Fedora CoreOS mounts at /boot: its installer leaves the user's config there."""
    return _from_environment("IGNITION_BOOT_DEVICE", "/dev/disk/by-label/boot")


def mark(state_file: str, name: str) -> str:
    """A file beside the state file: marks, the record of operations, the failure screen."""
    return os.path.join(os.path.dirname(state_file) or ".", name)
