"""The arguments of a stage: the flags of the run, the recorder of operations, and, after the fetch stages, the config."""

from __future__ import annotations

from ignition.config.model import Config
from ignition.operation import Context, Runner


class Arguments:
    """One run of one stage. `config` and `context` are set for the stages that work on a finished config."""

    config: Config
    context: Context

    def __init__(
        self,
        *,
        stage: str,
        platform: str,
        root: str,
        runner: Runner,
        paths: Paths,
        fetch_timeout_s: float,
    ) -> None:
        self.stage, self.platform, self.root, self.runner = stage, platform, root, runner
        self.config_cache, self.neednet, self.state_file = paths.config_cache, paths.neednet, paths.state_file
        self.fetch_timeout_s = fetch_timeout_s


class Paths:
    """The files that the stages share."""

    def __init__(self, *, config_cache: str, neednet: str, state_file: str) -> None:
        self.config_cache, self.neednet, self.state_file = config_cache, neednet, state_file
