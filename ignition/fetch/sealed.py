"""Opening sealed values: `clevis decrypt` of a JWE, whose header names the pins (docs/sealing.md).

The sealed text goes to the standard input of clevis and the plain text comes from its standard output: neither is an argument, a
file or a part of a message. clevis asks a tang server once; here a value is tried again while one of its servers is silent: the
network may not be up yet. Source: clevis-decrypt(1), clevis 19.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.config import sealed
from ignition.config.clevis_pins import SSS, TANG, TPM2
from ignition.errors import CommandFailed, Failure, NeedsNetwork, StaysSealed
from ignition.fetch import retry
from ignition.host import command, log
from ignition.host.printable import message, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Resource
    from ignition.config.sealed import Pins
    from ignition.fetch.settings import Settings

MOST_S = 300.0  # one call: clevis runs curl without a limit, and a TPM may be slow
_MOST_WORDS = 300  # characters of clevis' own message
_FIXES = {
    TPM2: "this machine's TPM did not make it, was cleared, or its PCRs differ: seal it again with this TPM",
    TANG: "check that this machine reaches the tang server, and that the server still has the key that sealed it "
    "(tangd-rotate-keys keeps old keys); else seal it again",
}
_OTHER = "check that the initramfs has the pin (clevis-decrypt-PIN), and that the value was sealed for this machine"


def words(pins: Pins) -> str:
    """`tang http://…`, `tpm2`, `2 of 3: …`: without userinfo, query and fragment of addresses."""
    if pins.pin == SSS:
        return f"{pins.threshold} of {len(pins.parts)}: {', '.join(map(words, pins.parts))}"
    return f"tang {shown(pins.server)}" if pins.pin == TANG else pins.pin


def words_of(sealed_value: Resource | str) -> str:
    """The same of a sealed resource or text, for people; "" if neither the resource nor a header of its request is sealed."""
    if not isinstance(sealed_value, str) and not sealed_value.extension.sealed:
        values = (header.extension.sealed_value for header in sealed_value.http_headers)
        return next((f"a request header: {words_of(value)}" for value in values if value is not None), "")
    try:
        content = sealed_value if isinstance(sealed_value, str) else sealed.inline(sealed_value)
        return "its pins are known once it is fetched" if content is None else words(sealed.pins(content))
    except Failure:
        return "not a JWE of clevis"


def opened(
    text: bytes,
    settings: Settings,
    clock: retry.Clock,
    answers: Callable[[str], bool],
    *,
    offline: bool,
    may_open: bool,
) -> bytes:
    """The plain text. `answers(url)` tells whether a server is there at all. Raises StaysSealed, NeedsNetwork or Failure."""
    pins = sealed.pins(text)
    if not may_open:
        raise StaysSealed(f"it is sealed ({words(pins)}): only the machine that is provisioned opens it")
    if offline and pins.needs_network():
        raise NeedsNetwork(f"a sealed value needs the network ({words(pins)})")
    deadline = retry.Deadline(clock, settings.total_s, of_config=settings.of_config)
    what = f"open a sealed value ({words(pins)})"
    log.info(what)
    # An attempt counts as the last one if all servers have answered before it.
    all_answered = False

    def attempt(deadline: retry.Deadline) -> bytes:
        nonlocal all_answered
        while True:
            try:
                return _decrypted(text, pins, deadline)
            except CommandFailed as failure:
                problem = _problem(pins, failure)
                if failure.status is None or all_answered:
                    raise problem from None
            silent = [server for server in _servers(pins) if not answers(f"{server.rstrip('/')}/adv")]
            if silent:
                there = ", ".join(map(shown, silent))
                raise retry.Transient(f"{problem.what}; no answer from {there}", fix=problem.fix)
            all_answered = True
            if not _servers(pins):
                raise problem

    return retry.until_done(attempt, what=what, where="", settings=settings, clock=clock, deadline=deadline)


def _servers(pins: Pins) -> list[str]:
    # curl, which clevis calls, takes an address without a scheme for one of http.
    return [one.server if "://" in one.server else f"http://{one.server}" for one in pins.each() if one.server]


def _decrypted(text: bytes, pins: Pins, deadline: retry.Deadline) -> bytes:
    left = deadline.at_most(MOST_S)
    limit_s = MOST_S if left is None else max(1.0, left)
    hidden = tuple(one.server for one in pins.each() if shown(one.server) != one.server)
    argv = ["clevis", "decrypt"]
    return command.output(argv, why="opening a sealed value", stdin=text.strip(), timeout_s=limit_s, hidden=hidden)


def _problem(pins: Pins, failure: CommandFailed) -> Failure:
    """The failure of one attempt: the pins that were tried, the last words of clevis, and what a person can do."""
    if failure.status is None:
        return Failure(f"{failure.what} ({words(pins)})", fix=failure.fix or _fix(pins))
    lines = [line.strip() for line in failure.stderr.split("\n") if line.strip()]
    last = message(lines[-1])[:_MOST_WORDS] if lines else f"exit status {failure.status}"
    return Failure(f"the sealed value cannot be opened; tried {words(pins)}: {last}", fix=_fix(pins))


def _fix(pins: Pins) -> str:
    kinds = dict.fromkeys(one.pin for one in pins.each())
    return "; ".join(dict.fromkeys(_FIXES.get(kind, _OTHER) for kind in kinds))


def line(plain: bytes, where: str) -> str:
    """The plain text as one line of text, without the line break that an editor or `echo` leaves at its end."""
    try:
        text = plain.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = "\0"
    if not text or not text.isprintable():
        # Not chained: the text of the error would have bytes of the secret.
        raise Failure(
            "the value is not one line of text",
            where=where,
            fix="seal a single line, by `ignition seal -as KIND`",
            lasting=True,
        )
    return text
