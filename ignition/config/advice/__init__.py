"""Advice: warnings about probable mistakes in a valid config, for `ignition-validate`. Stages do not compute it.

Ids W1 to W31; docs/validation.md lists them. Advice never makes a config invalid, and it may be wrong, because the
machine is not known here: messages say what is missing, not that the config is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import advice as advice
    from ignition.config.parse import Parsed
    from ignition.config.report import Entry, Finding
    from ignition.config.targets import Target

MOST = 100  # findings of one id that are listed


def advise(parsed: Parsed, text: bytes, targets: Iterable[Target] = ()) -> tuple[Entry, ...]:
    """Advice about the config parsed from this text, besides its errors; empty if some values could not be decoded.

    `targets`: the releases that it is for; accounts and units that all of them have are not reported.
    """
    config = parsed.config or parsed.draft
    if config is None:
        return ()
    from ignition.config.advice import (
        accounts,
        devices,
        extensions,
        homes,
        modes,
        partitions,
        places,
        references,
        second_look,
        services,
        transport,
        unit_options,
        unit_values,
        units,
        users,
    )
    from ignition.config.advice.subject import Subject
    from ignition.config.text.locate import locate_findings

    subject = Subject(config, parsed.version, text, parsed.renamed_paths(), frozenset(one.system for one in targets))
    about_units = (units, references, unit_options, unit_values, services)
    about_files = (homes, modes, places, partitions, devices)
    advisers = (*about_units, *about_files, second_look, transport, users, accounts, extensions)
    findings = [one.moved(subject.in_text(one.path)) for adviser in advisers for one in _limited(adviser.advise(subject))]
    # An error at the same member, or above it, says more: no advice is added.
    refused = [entry.path for entry in parsed.report.entries if entry.level == "error" and entry.path]
    found = locate_findings(text, findings) if findings else ()
    return tuple(entry for entry in found if not any(f"{entry.path}.".startswith(f"{path}.") for path in refused))


def _limited(found: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings of each id, and a last one with the number of the others."""
    from collections import Counter

    counts: Counter[str] = Counter()
    last: dict[str, Finding] = {}
    for one in found:
        counts[one.rule] += 1
        if counts[one.rule] <= MOST:
            yield one
        else:
            last.setdefault(one.rule, one)
    for rule, one in last.items():
        if more := counts[rule] - MOST - 1:
            one.message += f" ({more} more like this are not listed)"
        yield one
