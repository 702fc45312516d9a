"""From the sources of configs to the one that the stages work on (docs/reference/ignition-config.md §4.1).

Sources of the user config, the first that answers wins: kernel command line (a URL, else a file on a labelled device), user.ign
(or what an installer left for it: vendor_configs.py), platform. If what answers is not an Ignition config, the default.ign
takes its place (4.6). What the config refers to is merged in, the result is checked and cached; every later stage reads the cache
and puts it over the image's base configs.

Unlike Ignition: `coreos.config.url` and `flatcar.config.url` are read too, quotes on the command line count, a URL there that is
none is an error, and 3.x user configs have a default, too.
"""

from __future__ import annotations

from ignition.errors import Failure, NeedsNetwork
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.fetch.urls import scheme, shown
from ignition.host import cmdline, log
from ignition.rendering import system_configs
from ignition.rendering.parsing import parse_config
from ignition.rendering.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.rendering.parsing import Read
    from ignition.rendering.vendor_configs import Vendor
    from ignition.stages.arguments import Arguments

URL_OPTIONS = ("ignition.config.url", "coreos.config.url", "flatcar.config.url")
DEVICE_OPTION, PATH_OPTION = "ignition.config.device", "ignition.config.path"


class Rendered:
    """The user config with all references followed, and where it came from.

    `source` is `cmdline`, `system` or the platform's id, `""` if there was none; `referenced` has URL paths; `kind` is "user", or
    "default" for the image's default.ign, which no user provided. `texts` are what it was made of.
    """

    def __init__(self, config: Config, source: str, referenced: list[str], texts: Sources, kind: str = "user") -> None:
        self.config, self.source, self.referenced, self.texts, self.kind = config, source, referenced, texts, kind


def initial_settings(fetch_timeout_s: float) -> Settings:
    """How to fetch until a config says otherwise; 0 is no limit."""
    return Settings(total_s=fetch_timeout_s or None)


def user_config(arguments: Arguments, fetcher: Fetcher, vendor: Vendor | None = None) -> Rendered:
    """Find, render and check the user config, or the default one. Raises NeedsNetwork, InvalidConfig or Failure."""
    source, place, content = _find(arguments, fetcher, vendor)

    def read_for_platform(text: bytes, name: str) -> Config | None:
        return parse_config(text, name, arguments.platform)

    texts = Sources(arguments.platform)
    read = texts.reading(read_for_platform)
    config = read(content, place)
    if config is None:
        return _default(place, fetcher, vendor, texts)
    return _rendered(config, source, place, fetcher, "user", texts, read)


def _default(place: str, fetcher: Fetcher, vendor: Vendor | None, texts: Sources) -> Rendered:
    """What counts when the source, named `place`, has no config."""
    from ignition.config.model import Config

    found = system_configs.default(vendor=vendor)
    read = texts.reading(parse_config)
    config = read(found[1], found[0]) if found else None
    if found is None or config is None:
        log.info(f"no user config from {place}: only the image's base configs count")
        return Rendered(Config(), "", [], texts)
    log.info(f"no user config from {place}: the image's {found[0]} takes its place")
    return _rendered(config, "system", found[0], fetcher, "default", texts, read)


def _rendered(config: Config, source: str, place: str, fetcher: Fetcher, kind: str, texts: Sources, read: Read) -> Rendered:
    rendered, referenced = follow(config, place, fetcher, read)
    _check(rendered, texts)
    return Rendered(rendered, source, referenced, texts, kind)


def follow(config: Config, place: str, fetcher: Fetcher, read: Read = parse_config) -> tuple[Config, list[str]]:
    """The config, named `place`, with all that it refers to merged in, not yet checked; and the URL paths of that.

    Raises NeedsNetwork, InvalidConfig or Failure.
    """
    from ignition.rendering.references import Renderer

    renderer = Renderer(fetcher, read)
    return _with_own_authorities(renderer.render(config, place), fetcher), renderer.sources


def load_for_stage(arguments: Arguments) -> Config:
    """What a stage after the fetch stages works on: the cached user config over the image's base configs.

    Raises Failure when no fetch stage has left a cache.
    """
    from ignition.config.cache import load

    try:
        with open(arguments.config_cache, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Failure(
            "there is no cached config", where=arguments.config_cache, fix="run the stage fetch-offline or fetch first"
        ) from error
    return system_configs.over(system_configs.base(arguments.platform), load(content))


def _find(arguments: Arguments, fetcher: Fetcher, vendor: Vendor | None) -> tuple[str, str, bytes]:
    """The first source that answers, how to name it in errors, and its bytes (`b""`: no config there)."""
    words = cmdline.read()
    url, label, path = (cmdline.last(words, *names) for names in (URL_OPTIONS, (DEVICE_OPTION,), (PATH_OPTION,)))
    if url:
        if label or path:
            log.warning(f"{DEVICE_OPTION}= and {PATH_OPTION}= on the kernel command line are ignored: a config URL is there, too")
        return "cmdline", shown(url), _from_url(url, fetcher)
    if label or path:
        from ignition.rendering import config_device

        return "cmdline", *config_device.read(label, path)
    local = system_configs.user(vendor=vendor)
    if local is not None:
        return "system", *local
    return arguments.platform, f"platform {arguments.platform}", _from_platform(arguments.platform, fetcher)


def _from_url(url: str, fetcher: Fetcher) -> bytes:
    from ignition.config.model import Resource

    if not scheme(url):
        raise Failure(
            "not a URL: the scheme is missing", where=f"kernel command line: {shown(url)}", fix=f"mend {URL_OPTIONS[0]}="
        )
    log.info(f"config URL of the kernel command line: {shown(url)}")
    return fetcher.read(Resource(source=url))


def _from_platform(name: str, fetcher: Fetcher) -> bytes:
    from ignition import platforms

    source = platforms.config_source(name)
    if source.needs_network and fetcher.offline:
        raise NeedsNetwork(f"the platform {name} has its config in a service on the network")
    return source.fetch(fetcher)


def _with_own_authorities(config: Config, fetcher: Fetcher) -> Config:
    """Certificate authorities as data URLs: later stages must not need the network for them."""
    authorities = config.ignition.security.tls.certificate_authorities
    if not authorities:
        return config
    from ignition.config import dataurl, origins
    from ignition.config.model import Resource

    inlined = tuple(
        Resource(
            source=origins.like(dataurl.encode(fetcher.read(authority)), authority.source), verification=authority.verification
        )
        for authority in authorities
        if authority.source  # without one, or with "", there is nothing to trust
    )
    security = config.ignition.security
    tls = security.tls.evolve(certificate_authorities=inlined)
    return config.evolve(ignition=config.ignition.evolve(security=security.evolve(tls=tls)))


def _check(config: Config, texts: Sources) -> None:
    """Merging two valid configs may give an invalid one. Raises InvalidConfig."""
    from ignition.config import check_merged

    report = check_merged(config)
    if report.fatal:
        raise texts.invalid(report)
