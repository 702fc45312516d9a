"""`ignition-kargs-helper`: puts kernel arguments into the boot loader's files and reboots if that changed something.

The program that Ignition's kargs stage runs (docs/reference/ignition-config.md §7.9), for GRUB of our image and for entries of
the UAPI Boot Loader Specification. A distribution with another boot loader ships a program of this name, and that one is taken.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from ignition.boot_loader import files, kernel_arguments, partitions, reboot
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.cli.flags import GO_LONG, Flag
from ignition.cli.program import FAILED, SUCCESS, USAGE, Program
from ignition.errors import Failure
from ignition.host import atomic, boot_directory, cmdline, log, paths
from ignition.host.temporary_mount import mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

FLAGS = (
    Flag("should-exist", (), "kernel argument to append unless it is present; may be repeated", value="ARGUMENT"),
    Flag("should-not-exist", (), "kernel argument to remove wherever it is present; may be repeated", value="ARGUMENT"),
    Flag("later", False, "do not reboot: the arguments are for the next boot"),
    Flag("first-boot-done", False, "remove the argument that marks a first boot from the entries; no reboot"),
)
PROGRAM = Program(
    "ignition-kargs-helper",
    "update kernel arguments in the boot loader's files",
    FLAGS,
    manual="ignition-kargs-helper(8)",
    usage=("[--should-exist ARGUMENT]... [--should-not-exist ARGUMENT]... [--later]",),
    dialect=GO_LONG,
    operands=None,
    output_is_words=True,
    statuses={
        SUCCESS: "the files have the arguments; after a change the machine reboots",
        FAILED: "no known boot loader was found, a file could not be read or written, the arguments contradict each other, or"
        " another reboot would be in vain",
        USAGE: "invalid usage",
    },
)
FIRST_BOOT = ("coreos.first_boot=detected", "flatcar.first_boot=detected")  # what comes and goes with the flag


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Change the files, and reboot unless the arguments are for later."""
    log.configure(stage="kargs", to_stdout=False)
    if values["first-boot-done"]:
        _edit(Wanted(should_not_exist=FIRST_BOOT))
    else:
        _carry_out(Wanted(values["should-exist"], values["should-not-exist"]), later=values["later"])


def _carry_out(asked: Wanted, *, later: bool) -> None:
    wanted, refused = asked.without_magic()
    for text in refused:
        log.warning(f"{text!r} ignored: the boot loader marks a first boot with this argument")
    guarded = not later and os.path.exists(paths.INITRD_RELEASE)
    edits = _edit(wanted, required=True, guarded=guarded)
    if later:
        return
    if any(edit.needed() for edit in edits):
        reboot.reboot()
    if guarded:  # on a running system the files may have been changed for the next boot
        running = kernel_arguments.split(cmdline.read())
        reboot.refuse_vain(kernel_arguments.differences(running, wanted), [edit.name for edit in edits])


def _edit(wanted: Wanted, *, required: bool = False, guarded: bool = False) -> list[files.Edit]:
    """Change the files that differ; returns all files, the changed ones (those that `needed()` it) and the others.

    Raises Failure if there are no files and they are `required`; if it is `guarded` and the machine was rebooted for this before.
    """
    esp, extended = partitions.find()
    with ExitStack() as stack:
        place = boot_directory.find()
        directories = [stack.enter_context(mounted(esp, *place.how_to_mount(esp))) + place.inside]
        if extended:  # dirsync: see ignition.boot_loader.replace
            directories.append(stack.enter_context(mounted(extended, ("auto",), ("dirsync",))))
        edits = files.plan(directories, wanted)
        if required and not edits:
            raise Failure(
                f"unknown boot loader on {' and '.join(filter(None, (esp, extended)))}:"
                f" neither a {files.GRUB_CONFIG} that reads {files.GRUB_KARGS.lstrip('/')} nor {files.ENTRIES}/*.conf",
                fix=f"add a program {PROGRAM.name} for this boot loader to the image",
            )
        needed = [edit for edit in edits if edit.needed()]
        if needed and guarded:
            notes = partitions.with_notes(esp)
            noted = directories[0] if notes == esp else stack.enter_context(mounted(notes, *place.how_to_mount(notes)))
            reboot.refuse_second(noted, [edit.name for edit in needed])
        for edit in needed:
            edit.write()
            _say(f"changed {edit.name}", edit.name)
        if not needed:
            _say(f"nothing to change in {', '.join(edit.name for edit in edits)}")
        for directory in directories:
            atomic.sync_file_system(directory)
    return edits


def _say(text: str, path: str = "") -> None:
    """For the journal, and for a person who has called this."""
    log.info(text, IGNITION_PATH=path)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
