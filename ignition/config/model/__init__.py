"""The one internal model: every config, of whatever spec version, ends as a `Config` of these records.

Members are those of the newest spec (3.7.0-experimental; docs/reference/ignition-config.md §2.1, coreos/ignition
config/v3_7_experimental/types). Features of 2.x that 3.x dropped keep working through members whose `since` is INTERNAL: config
texts cannot set them, only the translation from 2.x does, and the config cache carries them.
"""

from ignition.config.model.ignition import Ignition, Resource
from ignition.config.model.passwd import Passwd
from ignition.config.model.storage import Storage
from ignition.config.model.systemd import Systemd
from ignition.config.record import Record, spec
from ignition.config.versions import NEWEST


class KernelArguments(Record):
    """Arguments that the kernel command line must and must not have (spec path: kernelArguments)."""

    SHARED = ("should_exist", "should_not_exist")
    should_exist: tuple[str, ...] = spec("arguments to add; one entry may hold several words", default=(), since="3.3.0")
    should_not_exist: tuple[str, ...] = spec("arguments to remove", default=(), since="3.3.0")


class Config(Record):
    """A whole config."""

    ignition: Ignition = spec("about the config itself", default=Ignition(version=NEWEST))
    kernel_arguments: KernelArguments = spec("kernel command line", default=KernelArguments(), since="3.3.0")
    passwd: Passwd = spec("users and groups", default=Passwd())
    storage: Storage = spec("disks and files", default=Storage())
    systemd: Systemd = spec("units", default=Systemd())


__all__ = ["NEWEST", "Config", "Ignition", "KernelArguments", "Passwd", "Resource", "Storage", "Systemd"]
