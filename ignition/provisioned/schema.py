"""JSON Schemas of the output of `ignition status -json` and of `ignition reset -json`."""

from __future__ import annotations

from ignition.json_schema import array, document, integer, number, or_null, record, text, truth, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

_RESULT = {
    "at": text("when, in RFC 3339"),
    "bootId": text("the kernel's id of the boot"),
    "userConfig": truth("whether a user config was found"),
}


def status() -> Schema:
    """Of status. Unknown texts are "", unknown numbers 0."""
    source = {
        "kind": text("base, user, or default for the image's default.ign"),
        "source": text("platform, file, or URL without its secrets"),
        "referenced": truth("whether another config refers to it"),
    }
    link = {
        "name": text("of the link"),
        "state": text("of the kernel: up, down, unknown …"),
        "mac": text("its hardware address; empty without one"),
        "addresses": words("with their prefix lengths"),
    }
    members = {
        "state": text("of the machine", enum=["provisioned", "not provisioned", "interrupted", "unknown"]),
        "root": text("the directory of -root"),
        "provisioned": record(
            {
                **_RESULT,
                "thisBoot": truth("whether it was in the present boot"),
                "runs": integer("how often the machine has been provisioned", minimum=0),
            }
        ),
        "config": record(
            {
                "sha512": text("digest of the rendered config"),
                "platform": text("id of the platform"),
                "sources": array(record(source, source), "in the order of fetching"),
            }
        ),
        "earlier": array(record(_RESULT), "results of earlier first boots, the latest first"),
        "nextBoot": record(
            {
                "isFirst": {"type": ["boolean", "null"], "description": "null if it is not known"},
                "flag": text("its path in the boot directory, EFI-SYSTEM or /boot; empty without it"),
            }
        ),
        "attempt": record(
            {
                "unfinished": truth("a first boot has begun and is not complete"),
                "notes": words("of the last attempt"),
                "failures": integer("how often its config was at fault", minimum=0),
                "failure": text("the failure screen of this boot"),
            }
        ),
        "failedAttempts": array(
            record(
                {
                    "attempt": integer("its number, counted from 1", minimum=1),
                    "at": text("when it failed, in RFC 3339 and UTC, by the clock of the initramfs"),
                    "stage": text("that failed; empty for a failure outside the stages"),
                    "screen": text("the beginning of the failure screen, at most 4 KiB"),
                }
            ),
            "of the next first boot if it is not complete, otherwise those before the last one; the oldest first, at most five",
        ),
        "verify": {
            "type": ["object", "null"],
            "description": "the last result of ignition-verify.service: ignition schema verify",
        },
        "warnings": array(record({"at": number("seconds since 1970"), "message": text("of the journal")}), "oldest first"),
        "links": array(record(link), "network links but the loopback"),
        "unread": array(record({"what": text("the thing"), "why": text("the reason")}), "what could not be read"),
    }
    return document("Output of ignition status -json", members)


def reset() -> Schema:
    """Of reset."""
    operation = {
        "operation": text("its kind: a word of the table in docs/architecture.md"),
        "what": text("one line, imperative"),
        "path": text("the file or device"),
        "result": text("planned: it was not run, since of -dry-run or an earlier failure", enum=["planned", "done", "failed"]),
    }
    failure = {"what": text("the problem"), "where": text("its place"), "fix": text("the remedy; empty without one")}
    members = {
        "version": {"const": 1},
        "machine": text("its host name"),
        "dryRun": truth("nothing was changed"),
        "operations": array(record(operation), "in their order"),
        "lost": words("in words"),
        "kept": words("in words"),
        "notes": words("steps by hand that remain before the next boot"),
        "failure": or_null(record(failure, description="by which the reset ended; null without one")),
    }
    return document("Output of ignition reset -json", members)
