"""From the sources of configs to the one that the stages work on (docs/reference/ignition-config.md §4.1).

Sources of the user config, in order of precedence: `ignition retry -config` at the shell of a failed boot, kernel command line
(a URL, else a file on a labelled device), user.ign (or a file that an installer left in its place: vendor_configs.py),
platform. If the first one has no Ignition config, default.ign takes its place (4.6). Referenced configs are merged in, the
result is checked and cached; every later stage reads the cache and puts it over the image's base configs.

Unlike Ignition: `coreos.config.url` and `flatcar.config.url` are read too, quotes on the command line are honoured, a URL without
a scheme there is an error, and a default applies to 3.x as well.
"""

from __future__ import annotations

from ignition.errors import Failure, NeedsNetwork
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.fetch.urls import scheme, shown
from ignition.host import cmdline, log, paths
from ignition.rendering import system_configs
from ignition.rendering.parsing import Reader
from ignition.rendering.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config, Resource
    from ignition.rendering.vendor_configs import Vendor

URL_OPTIONS = ("ignition.config.url", "coreos.config.url", "flatcar.config.url")
DEVICE_OPTION, PATH_OPTION = "ignition.config.device", "ignition.config.path"


class Rendered:
    """The user config with all references followed, and where it came from.

    `source` is `retry`, `cmdline`, `system` or the platform's id, `""` without a config; `referenced` has URL paths; `kind` is
    "user", or "default" for the image's default.ign, which no user provided. `texts` are those it was made from. `serial`: of the
    first config, if it has one.
    """

    def __init__(
        self,
        config: Config,
        source: str,
        referenced: list[str],
        texts: Sources,
        kind: str = "user",
        serial: int | None = None,
    ) -> None:
        self.config, self.source, self.referenced, self.texts, self.kind = config, source, referenced, texts, kind
        self.serial = serial


def initial_settings(fetch_timeout_s: float) -> Settings:
    """The settings of fetches until a config changes them; 0 means without a limit."""
    return Settings(total_s=fetch_timeout_s or None)


def user_config(platform: str, fetcher: Fetcher, vendor: Vendor | None = None) -> Rendered:
    """Find, render and check the user config, or the default one. Raises NeedsNetwork, InvalidConfig or Failure."""
    from ignition.rendering import trusted

    source, place, content, resource = _find(platform, fetcher, vendor)
    if source == "retry" or (source == "system" and not (vendor and vendor.is_outside(place))):
        content = trusted.own(content, place, fetcher, is_bound=source != "retry")
    else:
        content = trusted.first(content, place, fetcher, resource)
    texts = Sources(platform)
    reader, kind = Reader(platform, texts), "user"
    config = reader.read(content, place)
    if config is None:
        found = system_configs.default(vendor=vendor)
        if found is None and fetcher.policy and fetcher.policy.required:
            raise Failure(
                f"there is no config, and {fetcher.policy.because} requires a signed one",
                where=place,
                fix="provide a signed config there, or a default.ign in the image",
            )
        if found and fetcher.policy and vendor and vendor.is_outside(found[0]):
            found = found[0], trusted.in_file(found[1], found[0], fetcher.policy)
        reader, kind, missing = Reader(sources=texts), "default", place
        config = reader.read(found[1], found[0]) if found else None
        if found is None or config is None:
            from ignition.config.model import Config

            log.info(f"no user config from {missing}: only the image's base configs apply")
            return Rendered(Config(), "", [], texts)
        source, place = "system", found[0]
        log.info(f"no user config from {missing}: the image's {place} takes its place")
    validity = config.ignition.extension.validity
    if validity != type(validity)():
        trusted.check_validity(validity, place)
    rendered, referenced = follow(config, place, fetcher, reader)
    # Merging valid configs may yield an invalid one.
    from ignition.config import check_merged

    report = check_merged(rendered, valid_in=texts.valid_in(rendered))
    if report.fatal:
        raise texts.invalid(report)
    return Rendered(rendered, source, referenced, texts, kind, validity.serial)


def follow(config: Config, place: str, fetcher: Fetcher, reader: Reader) -> tuple[Config, list[str]]:
    """The config, named `place`, with all configs that it refers to merged in, not yet checked; and the URL paths of these.

    Raises NeedsNetwork, InvalidConfig or Failure.
    """
    from ignition.rendering.references import Renderer

    renderer = Renderer(fetcher, reader)
    return _with_own_authorities(renderer.render(config, place), fetcher), renderer.sources


def load_for_stage(config_cache: str, platform: str) -> Config:
    """The config of a stage after the fetch stages: the cached user config over the image's base configs.

    Raises Failure if no fetch stage has left a cache.
    """
    from ignition.config.cache import load

    try:
        with open(config_cache, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Failure(
            "there is no cached config", where=config_cache, fix="run the stage fetch-offline or fetch first"
        ) from error
    return system_configs.over(system_configs.base(platform), load(content))


def _find(platform: str, fetcher: Fetcher, vendor: Vendor | None) -> tuple[str, str, bytes, Resource | None]:
    """The first source that has a config, its name in errors, its bytes (`b""`: no config there), not yet verified, and its URL.

    Only a URL on the kernel command line is one beside which a signature may be.
    """
    again = _of_a_retry(fetcher)
    if again is not None:
        return "retry", *again, None
    words = cmdline.read()
    url, label, path = (cmdline.last(words, *names) for names in (URL_OPTIONS, (DEVICE_OPTION,), (PATH_OPTION,)))
    if url:
        if label or path:
            log.warning(f"{DEVICE_OPTION}= and {PATH_OPTION}= on the kernel command line are ignored: a config URL is given, too")
        resource = _at_url(url)
        return "cmdline", shown(url), fetcher.read(resource, as_served=True), resource
    if label or path:
        from ignition.rendering import config_device

        return "cmdline", *config_device.read(label, path), None
    local = system_configs.user(vendor=vendor)
    if local is not None:
        return "system", *local, None
    from ignition import platforms

    at_platform = platforms.config_source(platform)
    if at_platform.needs_network and fetcher.offline:
        raise NeedsNetwork(f"platform {platform} provides its config through a service on the network")
    return platform, f"platform {platform}", at_platform.fetch(fetcher), None


def _of_a_retry(fetcher: Fetcher) -> tuple[str, bytes] | None:
    """The config that an operator gave to `ignition retry`: its name in errors, and its bytes."""
    path = paths.mark(paths.STATE, paths.RETRY_CONFIG)
    try:
        with open(path, "rb") as file:
            return path, file.read()
    except FileNotFoundError:
        pass
    try:
        with open(paths.mark(paths.STATE, paths.RETRY_URL), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            url = file.read().strip()
    except FileNotFoundError:
        return None
    from ignition.config.model import Resource

    log.info(f"config URL of ignition retry: {shown(url)}")
    return shown(url), fetcher.read(Resource(source=url), is_config=True)


def _at_url(url: str) -> Resource:
    from ignition.config.model import Resource

    if not scheme(url):
        raise Failure(
            "not a URL: the scheme is missing", where=f"kernel command line: {shown(url)}", fix=f"correct {URL_OPTIONS[0]}="
        )
    log.info(f"config URL of the kernel command line: {shown(url)}")
    return Resource(source=url)


def _with_own_authorities(config: Config, fetcher: Fetcher) -> Config:
    """The config with certificate authorities as data URLs: later stages must not need the network for them."""
    authorities = config.ignition.security.tls.certificate_authorities
    if not authorities:
        return config
    from ignition.config import dataurl, origins
    from ignition.config.model import Resource

    def inlined(authority: Resource) -> Resource:
        if authority.extension.sealed and not fetcher.opens:
            return authority
        source = origins.like(dataurl.encode(fetcher.read(authority)), authority.source)
        if authority.extension.sealed:
            return Resource(source=source)  # its hash is that of the JWE
        return Resource(source=source, verification=authority.verification)

    # Without a source, or with "", there is nothing to trust.
    known = tuple(inlined(authority) for authority in authorities if authority.source)
    security = config.ignition.security
    tls = security.tls.evolve(certificate_authorities=known)
    return config.evolve(ignition=config.ignition.evolve(security=security.evolve(tls=tls)))
