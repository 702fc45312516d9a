"""Writes the manual pages beside this file from the programs' own tables of flags: `python docs/man/generate.py`.

A test runs it into a temporary directory and fails when the committed pages differ.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from coreos_metadata import main as coreos_metadata
from ignition.cli import butane, cloudinit, ct, ignition, kargs_helper, plain_program, render, rmcfg, validate
from ignition.cli.flags import Flag
from ignition.cli.gnu_flags import GnuFlag, shown

Flags = list[tuple[str, str]]  # name with value, what it does


def from_table(table: tuple[Flag, ...]) -> Flags:
    """Rows of a program that reads flags as Go does."""
    rows = []
    for flag in table:
        default = "" if flag.default in ("", False, None, ()) else f" Default: {flag.default}."
        rows.append((f"-{flag.name} {flag.value}".strip(), f"{flag.doc[0].upper()}{flag.doc[1:]}.{default}"))
    return rows


def from_gnu_table(table: tuple[GnuFlag, ...]) -> Flags:
    """Rows of a program that reads flags as GNU does; hidden ones are left out."""
    defaults = {flag.name: f" Default: {flag.default}." if flag.default else "" for flag in table}
    return [
        (shown(flag).strip(), f"{flag.doc[0].upper()}{flag.doc[1:]}.{defaults[flag.name]}") for flag in table if not flag.hidden
    ]


def metadata_flags() -> Flags:
    """Rows of coreos-metadata, whose commands have argparse parsers; what several know comes once."""
    rows: dict[str, str] = {}
    for command, (parser, _) in coreos_metadata.COMMANDS.items():
        only = "" if command == ("multi",) else f" Only with {' '.join(command)}."
        for action in parser()._actions:
            if action.help and action.help != "==SUPPRESS==":
                name = ", ".join(action.option_strings)
                doc = f"{action.help[0].upper()}{action.help[1:]}.{only}"
                rows.setdefault(f"{name} {action.metavar or ''}".strip(), doc)
    return list(rows.items())


SEE_ALSO = (
    "ignition(8), ignition-render(8), ignition-validate(8), ignition-kargs-helper(8), ignition-rmcfg(8), coreos-metadata(8),"
    " coreos-cloudinit(8), butane(8), ct(8), dracut(8), systemd.unit(5)"
)

PAGES: dict[str, tuple[str, list[tuple[str, str]], Flags]] = {
    "ignition": (
        "first-boot provisioning, one stage per run",
        [
            (
                "SYNOPSIS",
                "ignition -stage NAME -platform ID [flag ...]\n\nignition grow [-root DIRECTORY]\n\nignition report [-root DIRECTORY]\n\nignition render [URL|FILE|-] [flag ...]\n\nignition schema VERSION\n\nignition schema butane VARIANT VERSION\n\nignition schema ct|cloud-config",
            ),
            (
                "DESCRIPTION",
                "Runs one stage of a machine's first boot: fetch-offline, fetch, kargs, disks, mount, files or umount. The units of"
                " the initramfs call it; a person rarely does. Every operation is journalled under the identifier ignition.\n\n"
                "ignition grow extends partitions of Container Linux' ROOT type to the end of their disk, RAID1, LUKS and LVM on"
                " them, and the file system on top, while mounted. What does not grow says why and what helps.\n\nignition report prints what the first boot of this machine did, and how long it took.\n\n"
                "ignition render prints the config that a machine would get: see ignition-render(8).\n\n"
                "ignition schema prints a JSON Schema (draft 7) for editors: of Ignition configs of a spec version (1 to"
                " 3.7.0-experimental), of Butane documents of a variant and version (fcos 1.0.0 to 1.8.0-experimental, flatcar 1.0.0 to"
                " 1.2.0-experimental), of Container Linux Configs, or of cloud-configs; ignition schema -help lists them. It says what"
                " one member alone can be; ignition-validate, butane, ct and coreos-cloudinit -validate know the rules about several,"
                " too. An unknown name has status 2.\n\n"
                "Flags have one dash or two; values follow as -flag=value or -flag value.",
            ),
            (
                "EXAMPLES",
                "ignition schema butane fcos 1.6.0 > butane.json writes a schema; an editor with the YAML language server uses it for a"
                " document that has the comment # yaml-language-server: $schema=./butane.json",
            ),
            ("EXIT STATUS", "0: success. 1: the stage failed. 2: usage. 3: the state between the stages could not be set up."),
            (
                "ENVIRONMENT",
                "IGNITION_CONFIG_FILE: the file of -platform file. IGNITION_SYSTEM_CONFIG_DIR, IGNITION_SYSTEM_LOCAL_CONFIG_DIR,"
                " IGNITION_SYSTEM_RUNTIME_CONFIG_DIR: where base.ign, base.d, base.platform.d, user.ign and default.ign are (/usr/lib/ignition,"
                " /etc/ignition, /run/ignition). IGNITION_KERNEL_CMDLINE_PATH: instead of /proc/cmdline."
                " IGNITION_OEM_LOOKASIDE_DIR, IGNITION_OEM_DEVICE: where oem URLs of 2.x configs lead, and where an"
                " installer's config.ign is looked for (/usr/share/oem, then /dev/disk/by-label/OEM). IGNITION_BOOT_DEVICE: where its"
                " ignition/config.ign is looked for (/dev/disk/by-label/boot)."
                " IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT: true or false, whether SSH keys go to a file of"
                " ~/.ssh/authorized_keys.d.",
            ),
            (
                "FILES",
                "/run/ignition.json: the rendered config between the stages, gone after the boot. /run/ignition/failure.txt: the"
                " screen of a failed first boot. /etc/.ignition-result.json: when and from where the machine was provisioned."
                " /var/lib/ignition/report.json: every operation, its result and its time. /etc/crypttab, /etc/luks: what opens"
                " encrypted volumes at later boots.",
            ),
        ],
        from_table(ignition.FLAGS),
    ),
    "ignition-render": (
        "print the config that a machine would get",
        [
            ("SYNOPSIS", render.USAGE_TEXT.removeprefix("usage: ").partition("  ")[0].replace("…", "...")),
            (
                "DESCRIPTION",
                "Fetches a config and all that it refers to, merges them as a first boot does, and prints the result as a config of"
                " the newest stable spec, without references. Nothing is written, and root is not needed. Without an argument it is"
                " the first user.ign of the base directories.\n\n"
                "What is wrong with any of the sources is said on standard error with its source line. What a 2.x or 1 config says"
                " and spec 3.x cannot say is named there, too; the rest is printed.\n\n"
                "-origin prints one line per value: its path, the value as JSON, and the name, line and column of the source that it"
                " comes from.\n\n"
                "Flags have one dash or two, and may follow the argument.",
            ),
            (
                "EXIT STATUS",
                "0: fine, perhaps with warnings. 1: something is invalid, cannot be fetched or cannot be said in spec 3.x. 2: usage.",
            ),
            (
                "ENVIRONMENT",
                "IGNITION_SYSTEM_CONFIG_DIR, IGNITION_SYSTEM_LOCAL_CONFIG_DIR, IGNITION_SYSTEM_RUNTIME_CONFIG_DIR: the machine's own"
                " base directories (/usr/lib/ignition, /etc/ignition, /run/ignition).",
            ),
        ],
        from_table(render.FLAGS),
    ),
    "ignition-validate": (
        "check a config for the first boot",
        [
            ("SYNOPSIS", validate.USAGE_TEXT.removeprefix("usage: ")),
            (
                "DESCRIPTION",
                "Reads configs of every spec version and reports all errors and warnings of each, with line, column, path, the source"
                " line and what to do. - is standard input; gzip and zstd are unpacked. Findings go to standard output, one line per"
                " config to standard error.\n\nSource lines may hold secrets of the config; what -json and -sarif print does not."
                "\n\nFlags have one dash or two and stand before the first file. The shape of the JSON document, what is known of"
                " targets, and every rule with its id are in docs/validation.md of the source.",
            ),
            (
                "EXIT STATUS",
                "0: all are valid, perhaps with warnings. 1: some are not valid, cannot be read, or are not taken by a target; with"
                " -strict also if there is any warning. 2: usage.",
            ),
            ("ENVIRONMENT", "NO_COLOR: if it is not empty, -color auto means never."),
        ],
        from_table(validate.FLAGS),
    ),
    "ignition-kargs-helper": (
        "put kernel arguments into the boot loader's files",
        [
            ("SYNOPSIS", kargs_helper.USAGE_TEXT.removeprefix("usage: ").replace("…", "...")),
            (
                "DESCRIPTION",
                "Appends the arguments that should exist and are missing, removes those that should not exist, and reboots the machine"
                " if that changed a file. The kargs stage of a first boot runs it; a person can, too, as"
                " /usr/lib/coreos-ignition/kargs-helper.\n\n"
                "It edits coreos/kargs.cfg of the machine image's GRUB and the options of entries of the Boot Loader Specification, on"
                " the EFI system partition and on the extended boot loader partition of the same disk. Each file is replaced by one"
                " rename; if one cannot become as wanted, none is changed.\n\n"
                "An argument of several words stands for these words in this order. Arguments by which the boot loader says that a boot"
                " is the first one (coreos.first_boot, flatcar.first_boot, ignition.firstboot) are left alone, with a warning.\n\n"
                "In the initramfs it fails instead of rebooting a second time: if the kernel was not started with what the files say,"
                " or if the files are as before a reboot for the same config.\n\n"
                "Flags have one dash or two; values follow as -flag=value or -flag value.",
            ),
            (
                "EXIT STATUS",
                "0: the files are as wanted; with a reboot there is no exit. 1: there is no boot loader that it knows, a file cannot be"
                " read or written, the wishes cannot be fulfilled, or another reboot would be in vain. 2: usage.",
            ),
            (
                "FILES",
                "coreos/kargs.cfg, loader/entries/*.conf: on the partitions. coreos/first_boot.in-progress on EFI-SYSTEM: says"
                " kargs-rebooted after the reboot, until the first boot is done.",
            ),
        ],
        from_table((*kargs_helper.FLAGS, *plain_program.COMMON_FLAGS)),
    ),
    "ignition-rmcfg": (
        "take the user config away from where the platform keeps it",
        [
            ("SYNOPSIS", "/usr/lib/coreos-ignition/rmcfg -platform ID [flag ...]"),
            (
                "DESCRIPTION",
                "Removes the config that a hypervisor hands to its guest: guestinfo properties on VMware, the guest property on"
                " VirtualBox. A config may hold secrets, and every program of the machine can ask the hypervisor for it."
                " ignition-delete-config.service does it once, when the machine has been provisioned; to keep the config, mask that"
                " unit in the config.",
            ),
            ("EXIT STATUS", "0: it is gone. 1: it cannot be removed, or not on this platform. 2: usage."),
        ],
        from_table((*rmcfg.FLAGS, *plain_program.COMMON_FLAGS)),
    ),
    "coreos-metadata": (
        "write what the platform says about this machine",
        [
            (
                "SYNOPSIS",
                "coreos-metadata [multi] --provider ID|--cmdline [flag ...]\n\n"
                "coreos-metadata exp rd-network-kargs --provider ID|--cmdline --default-value TEXT\n\n"
                "coreos-metadata render-ignition --provider ID|--cmdline --render-ignition-dir DIR [flag ...]",
            ),
            (
                "DESCRIPTION",
                "Asks the metadata service of the platform, or reads its drive, and writes an environment file for units"
                " (EnvironmentFile=/run/metadata/coreos), the SSH keys of a user, the host name, or network configuration. Files"
                " appear complete or not at all. Flags have one dash or two. The order is: attributes, SSH keys, host name, network"
                " units, netplan, NetworkManager, check-in; the first failure ends it.\n\n"
                "exp rd-network-kargs writes kernel arguments for the network of the initramfs, unless the kernel command line has"
                " some.\n\nrender-ignition writes fragments of a base config: the host name, and the user whom the platform was"
                " asked to create.",
            ),
            ("EXIT STATUS", "0: success. 1: any error, usage included."),
            (
                "FILES",
                "/run/metadata/coreos: where coreos-metadata.service writes the attributes; /run/metadata/afterburn and"
                " /run/metadata/flatcar lead there."
                " /etc/cmdline.d/50-afterburn-network-kargs.conf: what exp rd-network-kargs writes.",
            ),
        ],
        metadata_flags(),
    ),
    "coreos-cloudinit": (
        "apply user data to the running machine",
        [
            ("SYNOPSIS", cloudinit.USAGE_TEXT.removeprefix("usage: ").replace("\n       ", "\n\n").replace("…", "...")),
            (
                "DESCRIPTION",
                "Takes user data from the first of the named datasources that is there, and metadata from the same, and applies"
                " both: host name, users, SSH keys, files, units with their commands, /etc/environment. User data is a cloud-config"
                " (first line #cloud-config), a script (#!), several of them as multipart MIME, or an Ignition config, which is left"
                " alone; each may be packed with gzip.\n\n"
                "Host name, users and keys are applied first, whatever is wrong with the rest. The rest is applied only if nothing is"
                " wrong; else the exit status is 1. A second run changes nothing and says so: units are restarted only if something"
                " changed that they may read.\n\n"
                "$public_ipv4, $private_ipv4, $public_ipv6 and $private_ipv6 in user data stand for addresses of the datasource, or"
                " else for the environment variables below; a backslash before the dollar keeps the text.\n\n"
                "A datasource is waited for up to 5 minutes. Several are asked side by side, and the first wins.\n\n"
                "At boot system-config.target applies the OEM's cloud-config, and then user-config.target the user's: from an"
                " installer's file, the kernel argument cloud-config-url=, the platform, or a drive with the label config-2. On a"
                " machine whose user gave Ignition a config nothing of the user's is applied, nor where user-config.target is not"
                " enabled (systemctl enable user-config.target); /run/coreos-cloudinit/disabled says which it is.\n\n"
                "Flags have one dash or two; values follow as -flag=value or -flag value.",
            ),
            (
                "EXIT STATUS",
                "0: applied, or, with -validate, nothing to say. 1: no datasource was there, user data could not be fetched or read,"
                " or something could not be applied; with -validate any finding. 2: usage.",
            ),
            (
                "ENVIRONMENT",
                "COREOS_PUBLIC_IPV4, COREOS_PRIVATE_IPV4, COREOS_PUBLIC_IPV6, COREOS_PRIVATE_IPV6: addresses, where the datasource"
                " has none. NO_COLOR: if it is not empty, findings have no colours.",
            ),
            (
                "FILES",
                "/var/lib/coreos-cloudinit/scripts: scripts of user data, and in unit-name the last one's unit."
                " /run/coreos-cloudinit/operations.jsonl: every operation of this boot, its result and its time."
                " /usr/share/oem/cloud-config.yml: the OEM's. /var/lib/coreos-install/user_data, /var/lib/flatcar-install/user_data:"
                " an installer's. /etc/environment: the addresses."
                " journalctl _EXE=/usr/bin/coreos-cloudinit shows the log, and so does journalctl -t coreos-cloudinit.",
            ),
        ],
        from_table(cloudinit.FLAGS),
    ),
    "butane": (
        "make an Ignition config of a Butane document",
        [
            ("SYNOPSIS", "butane [options] [input-file]"),
            (
                "DESCRIPTION",
                "Reads a YAML document of variant fcos (1.0.0 to 1.8.0-experimental) or flatcar (1.0.0 to 1.2.0-experimental) and"
                " prints the Ignition config that it stands for, of spec 3.0.0 to 3.7.0-experimental. Other variants are refused by"
                " name.\n\nWhat is wrong is said on standard error, at its place in the document, also what only Ignition's rules"
                " ask of the result, and the advice that ignition-validate(8) gives. Excerpts of the document may hold its secrets; what --raw-errors prints does not.\n\nLocal files"
                " are taken from below the directory of --files-dir only.\n\nFlags may follow the file, and letters may be bundled."
                " docs/transpiling.md of the source is the manual.",
            ),
            (
                "EXIT STATUS",
                "0: done, perhaps with warnings. 1: the document is wrong, or a file cannot be read or written; with --strict also if"
                " there is any warning that is not advice. 2: usage.",
            ),
            ("ENVIRONMENT", "NO_COLOR: if it is set, --color=auto means never."),
        ],
        from_gnu_table(butane.FLAGS),
    ),
    "ct": (
        "make an Ignition config of a Container Linux Config",
        [
            ("SYNOPSIS", "ct [flag ...] < config.yaml > config.ign"),
            (
                "DESCRIPTION",
                "Reads a Container Linux Config and prints the Ignition config of spec 2.3.0 that it stands for. What is wrong is"
                " said on standard error with its line, also what only Ignition's rules ask of the result; lines of the document may"
                " hold its secrets.\n\nOptions of etcd and flannel may ask for addresses of the machine, such as {PRIVATE_IPV4}; then"
                " -platform is needed.\n\nFlags have one dash or two; values follow as -flag=value or -flag value; other words are"
                " passed over. docs/transpiling.md of the source is the manual.",
            ),
            (
                "EXIT STATUS",
                "0: done, perhaps with warnings. 1: the document is wrong, or a file cannot be read or written; with -strict also if"
                " there is anything to say. 2: usage.",
            ),
            ("ENVIRONMENT", "NO_COLOR: if it is set, what is said has no colours."),
        ],
        from_table(ct.FLAGS),
    ),
}


# ignition/host/frame.py: how every program ends, by what its output is.
WORDS = " 130: interrupted."
PRODUCT = " 130: interrupted. 141: whoever read standard output has closed it."
FRAME = dict.fromkeys(("ignition", "ignition-render", "butane", "ct"), PRODUCT)


def roff(text: str) -> str:
    """Text of a paragraph: backslashes and leading dots escaped, blank lines as paragraphs."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n.PP\n".join(part if part[:1] not in (".", "'") else f"\\&{part}" for part in escaped.split("\n\n"))


def page(program: str) -> Iterator[str]:
    """The lines of one manual page."""
    summary, sections, flags = PAGES[program]
    yield f'.TH {roff(program.upper())} 8 "" "coreos\\-ignition" "System administration"'
    yield f".SH NAME\n{roff(program)} \\- {summary}"
    for title, text in sections:
        also = FRAME.get(program, WORDS) if title == "EXIT STATUS" else ""
        yield f".SH {title}\n{roff(text + also)}"
        if title == "DESCRIPTION":
            yield ".SH OPTIONS"
            for name, meaning in flags:
                yield f".TP\n.B {roff(name)}\n{roff(meaning)}"
    yield f".SH SEE ALSO\n{roff(SEE_ALSO)}"


def write(directory: Path) -> None:
    """Write all pages."""
    for program in PAGES:
        (directory / f"{program}.8").write_text("\n".join(page(program)) + "\n")


if __name__ == "__main__":
    write(HERE)
