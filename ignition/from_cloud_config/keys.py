"""Every top-level key of cloud-init's schema: whether it is translated, the result, or the reason why not.

Source: cloudinit/config/schemas/schema-cloud-config-v1.json of cloud-init, `properties`; the pages of its modules on
docs.cloud-init.io. docs/recipes/from-cloud-init.md shows this table.
"""

from __future__ import annotations

TRANSLATED, PARTLY, NOT = "translated", "partly", "not"


class Key:
    """`about`: the result of a translation, or the reason why there is none. `fix`: the way out of that.

    `idle`: `false` asks for nothing, so it is not a leftover.
    """

    def __init__(self, outcome: str, about: str, fix: str = "", *, idle: bool = False) -> None:
        self.outcome, self.about, self.fix, self.idle = outcome, about, fix, idle


_IN_IMAGE = "install and configure it in the image, or by runcmd"
_REPOSITORIES = "repositories of packages are not configured"
_BY_FILES = "write the files below /etc by write_files"
_OF_CLOUD_INIT = "this configures cloud-init itself, which does not run"
_LEAVE_OUT = "leave it out"
_SSH_CONSOLE = "keys and fingerprints are not printed on the console"

KEYS = {
    "allow_public_ssh_keys": Key(
        NOT, "keys of the platform are added by coreos-metadata-sshkeys@.service", "enable that unit, or leave it disabled"
    ),
    "ansible": Key(NOT, "configuration management is not installed", _IN_IMAGE),
    "apk_repos": Key(NOT, _REPOSITORIES, _BY_FILES),
    "apt": Key(NOT, _REPOSITORIES, "write files below /etc/apt by write_files"),
    "apt_pipelining": Key(NOT, "apt is not configured", "write a file below /etc/apt/apt.conf.d by write_files"),
    "apt_reboot_if_required": Key(PARTLY, "with -packages, as package_reboot_if_required", idle=True),
    "apt_update": Key(PARTLY, "with -packages, as package_update", idle=True),
    "apt_upgrade": Key(PARTLY, "with -packages, as package_upgrade", idle=True),
    "authkey_hash": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT),
    "autoinstall": Key(NOT, "Ubuntu's installer reads it, not cloud-init", _LEAVE_OUT),
    "bootcmd": Key(TRANSLATED, "a script and a unit that runs it at every boot"),
    "byobu_by_default": Key(NOT, "byobu is not configured", _IN_IMAGE),
    "ca-certs": Key(PARTLY, "as ca_certs"),
    "ca_certs": Key(
        PARTLY,
        "files below /usr/local/share/ca-certificates, and a unit that updates the list; `remove_defaults` is not translated",
    ),
    "chef": Key(NOT, "configuration management is not installed", _IN_IMAGE),
    "chpasswd": Key(PARTLY, "hashes of passwords; plain and random ones, and expiry, are not translated"),
    "cloud_config_modules": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "cloud_final_modules": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "cloud_init_modules": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "create_hostname_file": Key(PARTLY, "`true`; `false` is not translated"),
    "device_aliases": Key(TRANSLATED, "names of devices in `disk_setup`, `fs_setup` and `mounts`"),
    "disable_ec2_metadata": Key(
        NOT, "the route to the metadata service stays", "write a unit that runs ip route add unreachable", idle=True
    ),
    "disable_piwiz": Key(NOT, "the Raspberry Pi's first-boot wizard is not configured", _IN_IMAGE, idle=True),
    "disable_root": Key(TRANSLATED, "root does not get the keys of the default user, unless it is `false`"),
    "disable_root_opts": Key(TRANSLATED, "nothing: root does not get keys that only print a message"),
    "disk_setup": Key(PARTLY, "`storage.disks` with a GPT; percentages of several partitions need -disk-size"),
    "drivers": Key(NOT, "drivers are not installed", _IN_IMAGE),
    "enable_rpi_connect": Key(NOT, "Raspberry Pi Connect is not installed", _IN_IMAGE, idle=True),
    "fan": Key(NOT, "Ubuntu's fan networking is not configured", _BY_FILES),
    "final_message": Key(NOT, "there is no message at the end of a first boot", "print it by the last command of runcmd"),
    "fqdn": Key(TRANSLATED, "/etc/hostname, /etc/hosts"),
    "fs_setup": Key(
        PARTLY, "`storage.filesystems` of btrfs, ext4, swap, vfat and xfs; `cmd` and `replace_fs` are not translated"
    ),
    "groups": Key(TRANSLATED, "`passwd.groups`, and the groups of users"),
    "growpart": Key(PARTLY, "ROOT grows by itself; other devices and `mode: off` are not translated"),
    "grub-dpkg": Key(NOT, "debconf's answers about GRUB are not changed", _LEAVE_OUT),
    "grub_dpkg": Key(NOT, "debconf's answers about GRUB are not changed", _LEAVE_OUT),
    "hostname": Key(TRANSLATED, "/etc/hostname"),
    "keyboard": Key(TRANSLATED, "/etc/default/keyboard"),
    "landscape": Key(NOT, "the client of Landscape is not installed", _IN_IMAGE),
    "launch-index": Key(NOT, "the documents of an instance have no index", "write a config per machine"),
    "locale": Key(TRANSLATED, "/etc/default/locale, /etc/locale.conf, and a unit that generates it"),
    "locale_configfile": Key(TRANSLATED, "the file that the locale is written to"),
    "lxd": Key(NOT, "LXD is not installed", _IN_IMAGE),
    "manage_etc_hosts": Key(TRANSLATED, "/etc/hosts, written once"),
    "manage_resolv_conf": Key(TRANSLATED, "whether `resolv_conf` counts"),
    "mcollective": Key(NOT, "configuration management is not installed", _IN_IMAGE),
    "merge_how": Key(NOT, "documents are not merged by cloud-init's rules", "refer to other configs by ignition.config.merge"),
    "merge_type": Key(NOT, "documents are not merged by cloud-init's rules", "refer to other configs by ignition.config.merge"),
    "migrate": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "mount_default_fields": Key(TRANSLATED, "missing fields of `mounts`"),
    "mounts": Key(
        PARTLY, "mount and swap units; devices that only the platform knows, and options that begin with x-, are not translated"
    ),
    "no_ssh_fingerprints": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT, idle=True),
    "ntp": Key(PARTLY, "servers and pools for systemd-timesyncd, or chrony's sources"),
    "output": Key(NOT, _OF_CLOUD_INIT, "read the journal of the units"),
    "package_reboot_if_required": Key(PARTLY, "with -packages, a part of the script", idle=True),
    "package_update": Key(PARTLY, "with -packages, apt-get update", idle=True),
    "package_upgrade": Key(PARTLY, "with -packages, apt-get dist-upgrade", idle=True),
    "packages": Key(PARTLY, "with -packages, a unit that runs apt-get install once"),
    "password": Key(PARTLY, "a hash for the default user; a plain password is not translated"),
    "phone_home": Key(
        NOT,
        "the outcome of a first boot is reported in another form: without host keys, as a CloudEvent or a journal",
        "name its receiver by ignition.report.url= on the kernel command line, or call curl as the last command of runcmd",
    ),
    "power_state": Key(TRANSLATED, "a script and a unit that runs it once, after runcmd"),
    "prefer_fqdn_over_hostname": Key(TRANSLATED, "the name in /etc/hostname"),
    "preserve_hostname": Key(TRANSLATED, "no /etc/hostname"),
    "puppet": Key(NOT, "configuration management is not installed", _IN_IMAGE),
    "random_seed": Key(NOT, "the kernel's random numbers are not seeded", _LEAVE_OUT),
    "reporting": Key(NOT, _OF_CLOUD_INIT, "read ignition report"),
    "resize_rootfs": Key(PARTLY, "ROOT grows by itself; `false` is not translated"),
    "resolv_conf": Key(PARTLY, "a drop-in of systemd-resolved; `options` and `sortlist` are not translated"),
    "rh_subscription": Key(NOT, "the system is not registered at Red Hat", "run subscription-manager by runcmd"),
    "rpi_interfaces": Key(NOT, "interfaces of the Raspberry Pi are not configured", _IN_IMAGE),
    "rpi_userconf": Key(NOT, "the user of Raspberry Pi OS is not configured", "write it into users"),
    "rsyslog": Key(PARTLY, "files below /etc/rsyslog.d; `install_rsyslog` is not translated"),
    "runcmd": Key(TRANSLATED, "a script and a unit that runs it once, after network-online.target and multi-user.target"),
    "salt_minion": Key(NOT, "configuration management is not installed", _IN_IMAGE),
    "snap": Key(NOT, "snaps are not installed", "run snap by runcmd"),
    "spacewalk": Key(NOT, "the system is not registered at Spacewalk", _IN_IMAGE),
    "ssh": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT),
    "ssh_authorized_keys": Key(PARTLY, "keys of the user that -default-user names"),
    "ssh_deletekeys": Key(TRANSLATED, "nothing: an image must not contain host keys"),
    "ssh_fp_console_blacklist": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT),
    "ssh_genkeytypes": Key(
        NOT,
        "host keys are generated by the image's own unit",
        "write the keys into ssh_keys, or HostKey into a file of sshd_config.d",
    ),
    "ssh_import_id": Key(NOT, "keys are not fetched from Launchpad or GitHub", "write them into ssh_authorized_keys"),
    "ssh_key_console_blacklist": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT),
    "ssh_keys": Key(TRANSLATED, "files below /etc/ssh"),
    "ssh_publish_hostkeys": Key(
        NOT, "host keys are not published by the config", "enable coreos-metadata's check-in, where the platform has one"
    ),
    "ssh_pwauth": Key(TRANSLATED, "PasswordAuthentication in a file of sshd_config.d"),
    "ssh_quiet_keygen": Key(NOT, _SSH_CONSOLE, _LEAVE_OUT, idle=True),
    "swap": Key(PARTLY, "a swap unit, and one that creates the file; `size: auto` is not translated"),
    "system_info": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "timezone": Key(TRANSLATED, "/etc/localtime, /etc/timezone"),
    "ubuntu_advantage": Key(NOT, "the system is not attached to Ubuntu Pro", "run pro attach by runcmd"),
    "ubuntu_pro": Key(NOT, "the system is not attached to Ubuntu Pro", "run pro attach by runcmd"),
    "updates": Key(NOT, "networks are not configured again when devices are added", "write files of systemd-networkd"),
    "user": Key(PARTLY, "the default user, as in `users`"),
    "users": Key(
        PARTLY, "`passwd.users`, sudo and doas; plain passwords, expiry and keys from Launchpad or GitHub are not translated"
    ),
    "vendor_data": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "version": Key(NOT, _OF_CLOUD_INIT, _LEAVE_OUT),
    "wireguard": Key(PARTLY, "files and wg-quick@.service; `readinessprobe` is not translated"),
    "write_files": Key(PARTLY, "`storage.files`; files in directories that are empty at every boot are not translated"),
    "yum_repo_dir": Key(NOT, _REPOSITORIES, _BY_FILES),
    "yum_repos": Key(NOT, _REPOSITORIES, _BY_FILES),
    "zypper": Key(NOT, _REPOSITORIES, _BY_FILES),
}
_OF_APT = ("apt is not configured: this is an old name of a member of apt", "write files below /etc/apt by write_files")
_IN_CLOUD_CFG = (_OF_CLOUD_INIT, _LEAVE_OUT)
# Keys of others, which people write into a cloud-config; keys of the image's cloud.cfg; keys of older and newer versions of
# cloud-init (doc/examples/cloud-config.txt, cloud-config-datasources.txt, cloud-config-bootc.txt; doc/module-docs/cc_fips).
FOREIGN = {
    **dict.fromkeys(
        ("apt_mirror", "apt_mirror_search", "apt_mirror_search_dns", "apt_preserve_sources_list", "apt_proxy", "apt_sources"),
        _OF_APT,
    ),
    **dict.fromkeys(
        ("datasource", "datasource_list", "def_log_file", "log_cfgs", "manual_cache_clean", "syslog_fix_perms"), _IN_CLOUD_CFG
    ),
    "bootc": ("the image of the system is not switched", "start from that image, or run bootc switch by runcmd"),
    "debconf_selections": ("debconf is not configured", "run debconf-set-selections by bootcmd or runcmd"),
    "fips": ("FIPS mode is not enabled", "enable it in the image, or by runcmd"),
    "coreos": ("this is a key of CoreOS' cloud-config, not of cloud-init", "leave such a document to coreos-cloudinit"),
    "network": (
        "cloud-init reads networks from the platform, not from a cloud-config",
        "write files of systemd-networkd by write_files",
    ),
}


def table() -> str:
    """The table as Markdown."""
    rows = ["| key | translated | result, or reason and way out |", "|---|---|---|"]
    for name, key in KEYS.items():
        outcome = {TRANSLATED: "yes", PARTLY: "partly", NOT: "no"}[key.outcome]
        rows.append(f"| `{name}` | {outcome} | {key.about}{f': {key.fix}' if key.fix else ''} |")
    return "\n".join(rows) + "\n"
