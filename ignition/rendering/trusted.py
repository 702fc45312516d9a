"""Configs and their signatures: what the policy of this machine (ignition/trust) demands of each text before it is read.

The first config is compared with `ignition.config.digest=`, and unwrapped if it is clear-signed; with verify=required it must be
signed, in its text or beside its URL. Referenced configs may have a hash instead: the signed text that refers to them binds it.

Not verified, because they are the machine's own: files of the initramfs (user.ign, base.ign, default.ign), since whoever can
change them can change the agent; and the config that root passes to `ignition retry` at the shell of a failed boot. The digest
does bind a user.ign of the initramfs: it names the one config that may be applied.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.fetch.urls import scheme
from ignition.host import log
from ignition.trust.policy import IF_SIGNED, NOTHING, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config, Resource
    from ignition.config.model.extensions import Validity
    from ignition.fetch.engine import Fetcher

DISK_S = 30.0  # for the disk with the serial of the last config


def first(content: bytes, place: str, fetcher: Fetcher, resource: Resource | None = None) -> bytes:
    """The text of the first config, verified; `content` itself without a signature in it. `b""` stays: there is no config.

    `resource`: its URL, if it came from one. Raises Failure, and then nothing of the content may be used.
    """
    from ignition.trust import digest

    policy = fetcher.policy or NOTHING
    digest.check(policy.digest, content, place)
    if not content:
        return content
    text = signed_text(content, policy, place)
    if text is None and policy.required:
        if resource is None:
            raise unsigned(policy, place)
        _check_beside(content, resource, place, fetcher, policy)
    return content if text is None else text


def own(content: bytes, place: str, fetcher: Fetcher, *, is_bound: bool) -> bytes:
    """The text of a first config that is the machine's own, without a check of its signature. `is_bound`: by the digest."""
    from ignition.trust import clear_signed, digest

    if is_bound and fetcher.policy:
        digest.check(fetcher.policy.digest, content, place)
    return clear_signed.unframed(content, place)


def config(resource: Resource, place: str, fetcher: Fetcher, early: bytes | None = None) -> bytes:
    """The text of a config that another one refers to, verified. `early`: its content, downloaded before. Raises Failure."""
    policy = fetcher.policy or NOTHING
    if not policy.required or resource.verification.hash or scheme(resource.source or "") == "data":
        content = fetcher.read(resource, is_config=True) if early is None else early
        text = signed_text(content, policy, place)
        return content if text is None else text
    served = fetcher.read(resource, as_served=True)
    if resource.extension.sealed:  # nothing that a stranger has sealed is opened: it may name a server of theirs
        _check_beside(served, resource, place, fetcher, policy)
        return fetcher.unpacked(resource, served)
    content = fetcher.unpacked(resource, served)
    text = signed_text(content, policy, place)
    if text is None:
        _check_beside(served, resource, place, fetcher, policy)
    return content if text is None else text


def in_file(content: bytes, place: str, policy: Policy) -> bytes:
    """The text of a config on a disk of the machine, verified. Raises Failure."""
    text = signed_text(content, policy, place)
    if text is None and policy.required and content:
        raise unsigned(policy, place)
    return content if text is None else text


def signed_text(content: bytes, policy: Policy, place: str) -> bytes | None:
    """The text of a clear-signed config (it may be compressed), once its signature is good; None if it is not clear-signed.

    Where no signature is checked, only the frame is removed, with a warning. Raises Failure.
    """
    from ignition.config.text import packed
    from ignition.trust import clear_signed

    if packed.packing(content):
        try:
            content = packed.unpack(content)
        except Failure:
            return None  # the reader of configs says what is wrong
    if not clear_signed.is_clear_signed(content):
        return None
    if policy.required or (policy.mode == IF_SIGNED and policy.keyrings):
        from ignition.trust import gpgv

        return gpgv.text_of(content, policy.keyrings, place)
    if policy is not NOTHING:  # a workstation has no keys of an image
        why = "the initramfs does not have keys" if policy.mode == IF_SIGNED else "ignition.config.verify=off"
        log.warning(f"{place}: the signature of the config is not checked: {why}")
    return clear_signed.text_of(content, place)


def unsigned(policy: Policy, place: str) -> Failure:
    """The failure for a text without any signature."""
    return Failure(
        f"the config is not signed, and {policy.because} requires that",
        where=place,
        fix="sign it: gpg --clear-sign FILE, and pass on FILE.asc",
        lasting=True,
    )


def _check_beside(content: bytes, resource: Resource, place: str, fetcher: Fetcher, policy: Policy) -> None:
    """Check the signature that lies beside a URL. Raises Failure."""
    from ignition.trust import gpgv

    found = fetcher.signature(resource)
    if found is None:
        failure = unsigned(policy, place)
        failure.fix = "put its signature beside it (gpg --detach-sign FILE makes FILE.sig), or clear-sign the config"
        raise failure
    signature, where = found
    for _ in gpgv.checked([content], signature, policy.keyrings, where):
        pass


def check_resources(config: Config, fetcher: Fetcher) -> None:
    """Before anything is applied: with verify=required, each remote resource has a hash, or a signature beside its URL.

    The contents are compared when they are fetched. Raises Failure with all places; NeedsNetwork as a fetch does.
    """
    policy = fetcher.policy
    if policy is None or not policy.required:
        return
    from ignition.config.needs_network import resources
    from ignition.config.report import dotted

    # References to configs have been followed, and their texts verified.
    remote = [
        (path, one) for path, one in resources(config) if path[:2] != ("ignition", "config") and fetcher.must_be_signed(one)
    ]
    missing = [dotted(path) for path, resource in remote if not fetcher.signature(resource)]
    if missing:
        raise Failure(
            f"neither verification.hash nor a signature beside the URL, and {policy.because} requires one: {', '.join(missing)}",
            where=missing[0],
            fix="add the hash of each (sha512sum FILE), or put its signature beside it (gpg --detach-sign FILE)",
            lasting=True,
        )


def check_validity(validity: Validity, place: str) -> None:
    """Compare the first config's expiry and serial with the clock, and with the last config that was applied. Raises Failure."""
    import time

    from ignition.trust import freshness

    freshness.check_expiry(validity, place, time.time())
    if validity.serial is not None:
        freshness.check_serial(validity.serial, _kept_serial(), place)


def _kept_serial() -> str:
    """The text beside the flag of the first boot; "" without one: a machine that booted by PXE keeps none."""
    import os

    from ignition.host import boot_directory, devices, limits, paths
    from ignition.host.reading import read_text
    from ignition.host.root import Root
    from ignition.host.temporary_mount import mounted_to_read
    from ignition.trust.freshness import KEPT

    if not os.path.exists(paths.FLAGGED):
        return ""
    place = boot_directory.find()
    devices.wait_for([place.link], timeout_s=DISK_S)
    with mounted_to_read(os.path.realpath(place.link)) as directory:
        return read_text(Root(directory, leaving_is_an_error=True), f"{place.inside}/{KEPT}", limit=limits.MIB) or ""
