"""The fetch stage: the user config over the network, rendered and cached for all later stages.

Files: config cache (0600), its digest, marks of the later stages that have work, state, texts of the config
(rendering/sources.py). Source: docs/reference/ignition-config.md §4.1, §6.5.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.errors import Failure, NeedsNetwork
from ignition.fetch.engine import Fetcher
from ignition.host import atomic, cmdline, features, log, paths
from ignition.platforms import current_id
from ignition.rendering import system_configs, trusted
from ignition.rendering.render import initial_settings, user_config
from ignition.rendering.vendor_configs import Vendor
from ignition.stages import state
from ignition.trust.policy import of_this_boot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.model.storage import Filesystem
    from ignition.rendering.render import Rendered
    from ignition.stages.arguments import Arguments
    from ignition.trust.policy import Policy

MESSAGE_ID_FETCHED = "57124006b5c94805b77ce473e92a8aeb"  # Ignition's; tools search the journal for it
NOT_MOUNTED = {"none", "swap"}
REPORT_URL = "ignition.report.url="


def run(arguments: Arguments) -> None:
    """Fetch with the network. Raises Failure; a cache exists only after success."""
    fetch_and_cache(arguments, offline=False)


def fetch_and_cache(arguments: Arguments, *, offline: bool) -> Config:
    """The work of both fetch stages. Returns the config of the later stages: the user config over the base configs.

    Raises NeedsNetwork (only if `offline`), InvalidConfig or Failure; then nothing has been written.
    """
    vendor = Vendor(patient=offline)  # the online stage runs later, when disks have appeared
    policy = of_this_boot()
    vendor.keep_base(policy)
    base = system_configs.base(arguments.platform)
    rendered = _fetch(arguments, vendor, base, policy, offline=offline)
    if isinstance(rendered, NeedsNetwork):
        raise rendered
    config = system_configs.over(base, rendered.config)
    _refuse_missing_features(arguments, rendered, config, base)
    if config.ignition.extension.report.url or REPORT_URL in cmdline.read():
        from ignition.outcome import receiver

        with log.never_fatal("the outcome will not be sent after the switch to the real root"):
            receiver.keep(config, arguments.state_file)
    _write(arguments, rendered, base, work(config))
    return config


def _refuse_missing_features(arguments: Arguments, rendered: Rendered, config: Config, base: Config) -> None:
    """Here, because the next stage already changes kernel arguments. Only the texts are written before the failure."""
    present = features.present()
    if present is None:
        return
    from ignition.storage import needed_features

    try:
        needed_features.check(config, present)
    except Failure as failure:
        from ignition.rendering.sources import locate

        rendered.texts.save(arguments.state_file, base)
        locate(failure, arguments.state_file)
        raise


def work(config: Config) -> dict[str, bool]:
    """Mark → whether its stage has something to do; without, the stage is skipped."""
    storage = config.storage
    kernel_arguments = config.kernel_arguments
    return {
        "need-kargs": bool(kernel_arguments.should_exist or kernel_arguments.should_not_exist),
        "need-disks": bool(storage.disks or storage.raid or storage.luks or storage.filesystems),
        "need-mount": any(_is_mounted(entry) for entry in storage.filesystems),
    }


def _is_mounted(entry: Filesystem) -> bool:
    """Whether it, or a subvolume of it, is mounted below the new root."""
    has_place = bool(entry.path) or any(subvolume.mount_path for subvolume in entry.extension.subvolumes)
    return has_place and entry.format not in NOT_MOUNTED


def _fetch(arguments: Arguments, vendor: Vendor, base: Config, policy: Policy, *, offline: bool) -> Rendered | NeedsNetwork:
    runner, platform = arguments.runner, current_id(arguments.platform)
    with (
        Fetcher(
            initial_settings(arguments.fetch_timeout_s),
            offline=offline,
            root=arguments.root,
            platform=platform,
            opens=True,
            policy=policy,
        ) as fetcher,
        runner.step("fetch", f"fetch the config of platform {arguments.platform}") as outcome,
    ):
        try:
            rendered = user_config(arguments.platform, fetcher, vendor)
            trusted.check_resources(system_configs.over(base, rendered.config), fetcher)
            return rendered
        except NeedsNetwork as reason:
            if not offline:
                raise
            outcome["cause"] = str(reason)  # not a failure: the online stage takes over
            return reason


def _write(arguments: Arguments, rendered: Rendered, base: Config, wanted: dict[str, bool]) -> None:
    """Marks and state first: once the cache exists, the other stages run."""
    from ignition.config.cache import dump
    from ignition.host.atomic import sha512

    _record(arguments, rendered)
    if rendered.serial is not None:  # `esp quench` copies it beside the flag, once it has been applied
        atomic.write(paths.mark(arguments.state_file, paths.CONFIG_SERIAL), f"{rendered.serial}\n".encode(), mode=0o600)
    rendered.texts.save(arguments.state_file, base)
    for name, needed in wanted.items():
        mark = paths.mark(arguments.state_file, name)
        if needed:
            atomic.write(mark, b"", mode=0o600)
        else:
            with suppress(FileNotFoundError):
                os.unlink(mark)
    content = dump(rendered.config)
    digest = sha512(content)
    atomic.write(paths.mark(arguments.state_file, paths.CONFIG_DIGEST), f"{digest}\n".encode(), mode=0o600)
    atomic.write(arguments.config_cache, content, mode=0o600)
    log.info(f"config cached, SHA-512 {digest}; work for: {', '.join(name for name in wanted if wanted[name]) or 'files only'}")


def _record(arguments: Arguments, rendered: Rendered) -> None:
    """Record the fetched configs in the state and in the journal."""
    from ignition import platforms

    between = state.load(arguments.state_file)
    between.reports = arguments.stage == "fetch" and platforms.report(arguments.platform) is not None
    between.fetched_configs = [{"kind": "base", "source": "system", "referenced": False}]
    if rendered.source:
        between.fetched_configs.append({"kind": rendered.kind, "source": rendered.source, "referenced": False})
    for source in rendered.referenced:
        between.fetched_configs.append({"kind": rendered.kind, "source": source, "referenced": True})
    state.save(between, arguments.state_file)
    for config in between.fetched_configs:
        referenced = config["referenced"]
        log.info(
            f'fetched {"referenced " if referenced else ""}{config["kind"]} config from "{config["source"]}"',
            MESSAGE_ID=MESSAGE_ID_FETCHED,
            IGNITION_CONFIG_TYPE=config["kind"],
            IGNITION_CONFIG_SRC=config["source"],
            IGNITION_CONFIG_REFERENCED=str(referenced).lower(),
        )
