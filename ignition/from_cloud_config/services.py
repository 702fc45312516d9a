"""ntp, resolv_conf, rsyslog, wireguard, ca_certs and the host keys and passwords of sshd → drop-ins, files and units.

Source: cloudinit/config/cc_ntp.py, cc_resolv_conf.py, cc_rsyslog.py, cc_wireguard.py, cc_ca_certs.py, cc_ssh.py. No package is
installed: the programs must be in the image.
"""

from __future__ import annotations

import os
import re

from ignition.config.text.yaml_nodes import Mapping
from ignition.from_cloud_config.reading import View, flag, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.from_cloud_config.work import Work

TIMESYNCD = "/etc/systemd/timesyncd.conf.d/50-cloud-config.conf"
CHRONY = "/etc/chrony/sources.d/cloud-config.sources"
RESOLVED = "/etc/systemd/resolved.conf.d/50-cloud-config.conf"
PASSWORDS = "/etc/ssh/sshd_config.d/50-cloud-config.conf"
CERTIFICATES = "/usr/local/share/ca-certificates"
CA_UNIT = "cloud-config-ca-certs.service"
_UPDATE_CERTIFICATES = """[Unit]
Description=Trust the certificates of the cloud-config
ConditionPathExists=/usr/sbin/update-ca-certificates
ConditionPathExists=!/var/lib/cloud-config/ca-certs.done
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/update-ca-certificates
ExecStart=/usr/bin/mkdir -p /var/lib/cloud-config
ExecStart=/usr/bin/touch /var/lib/cloud-config/ca-certs.done

[Install]
WantedBy=multi-user.target
"""
_WORD = re.compile(r"[A-Za-z0-9_.:\[\]%~#-]+")  # of a server or a domain in a configuration file
_KEY = re.compile(r"(ecdsa|ed25519|rsa|dsa)_(private|public|certificate)")
_PARTS = {"private": ("", 0o600), "public": (".pub", 0o644), "certificate": ("-cert.pub", 0o644)}
_REMOTE = re.compile(r"(?:(?P<match>\S+)\s+)?(?P<to>@{0,2})(?P<host>\[[^\]]+\]|[^:\s]+)(?::(?P<port>[0-9]+))?")


def translate(work: Work, root: View) -> None:
    """All of them."""
    _ssh(work, root)
    _ca_certificates(work, root)
    _ntp(work, root)
    _resolv_conf(work, root)
    _rsyslog(work, root)
    _wireguard(work, root)


def _ssh(work: Work, root: View) -> None:
    lines = []
    node = root.node("ssh_pwauth")
    allowed = flag(node)
    if allowed is not None:
        lines.append(f"PasswordAuthentication {'yes' if allowed else 'no'}")
    elif node is not None and text(node) != "unchanged":
        root.left("ssh_pwauth", "this is not true, false or unchanged")
    origin = root.at("ssh_pwauth") if lines else root.at("ssh_keys")
    for name, path, key in root.view("ssh_keys").members():
        found = _KEY.fullmatch(name)
        if not found or text(key) is None:
            work.leftovers.left(path, "this is not the name of a host key, such as ed25519_private")
            continue
        end, mode = _PARTS[found[2]]
        target = f"/etc/ssh/ssh_host_{found[1]}_key{end}"
        work.output.file(target, f"{(text(key) or '').rstrip()}\n", path, mode=mode)
        if found[2] == "certificate":
            lines.append(f"HostCertificate {target}")
    if lines:
        work.output.file(PASSWORDS, "".join(f"{line}\n" for line in lines), origin, mode=0o600)
    if root.flag("ssh_deletekeys") is False:
        root.note("ssh_deletekeys", "host keys of the image are never deleted")
    else:
        root.note("ssh_deletekeys", "an image for several machines must not contain host keys: none are deleted")


def _ca_certificates(work: Work, root: View) -> None:
    count = 0
    for name in ("ca_certs", "ca-certs"):
        view = root.view(name)
        for removing in ("remove_defaults", "remove-defaults"):
            if view.flag(removing):
                view.left(removing, "the certificates of the image stay", "remove them in the image")
        for path, node in view.items("trusted"):
            if not (certificate := (text(node) or "").strip()):
                work.leftovers.left(path, "this is not a certificate")
                continue
            count += 1
            work.output.file(f"{CERTIFICATES}/cloud-config-{count}.crt", f"{certificate}\n", path)
            if count == 1:
                work.output.unit(CA_UNIT, view.path, _UPDATE_CERTIFICATES)
        view.close()


def _words(work: Work, view: View, name: str) -> list[str]:
    found = view.texts(name)
    good = [one for one in found if _WORD.fullmatch(one)]
    if good != found:
        work.leftovers.left(view.at(name), "an element is neither a name nor an address")
    return good


def _ntp(work: Work, root: View) -> None:
    view, path = root.view("ntp"), root.at("ntp")
    servers, pools = _words(work, view, "servers"), _words(work, view, "pools")
    client = view.text("ntp_client", "auto")
    for name in ("peers", "allow", "config"):
        view.left(name, "only servers and pools are configured", "write the client's own file by write_files")
    if view.flag("enabled", default=True) and (servers or pools):
        if client in ("auto", "systemd-timesyncd"):
            work.output.file(TIMESYNCD, f"[Time]\nNTP={' '.join([*servers, *pools])}\n", path)
            work.output.unit("systemd-timesyncd.service", path)
        elif client == "chrony":
            lines = [f"server {one} iburst" for one in servers] + [f"pool {one} iburst" for one in pools]
            work.output.file(CHRONY, "".join(f"{line}\n" for line in lines), path)
            view.note("ntp_client", "chrony must be in the image")
        else:
            view.left("ntp_client", "this client is not configured", "use systemd-timesyncd or chrony, or write_files")
    elif "ntp" in root:
        root.note("ntp", "the time servers of the image are used")
    view.close()


def _resolv_conf(work: Work, root: View) -> None:
    manages = root.flag("manage_resolv_conf", default=False)
    view, path = root.view("resolv_conf"), root.at("resolv_conf")
    if not manages:
        root.note("resolv_conf", "cloud-init ignores it unless manage_resolv_conf is true: it is left out")
        return
    lines = [f"DNS={one}" for one in [" ".join(_words(work, view, "nameservers"))] if one]
    domains = [*_words(work, view, "domain"), *_words(work, view, "searchdomains")]
    lines += [f"Domains={' '.join(dict.fromkeys(domains))}"] if domains else []
    for name in ("options", "sortlist"):
        view.left(name, "systemd-resolved does not have it")
    if lines:
        work.output.file(RESOLVED, "".join(f"{line}\n" for line in ("[Resolve]", *lines)), path)
    view.close()


def _rsyslog(work: Work, root: View) -> None:
    if "rsyslog" not in root:
        root.ignore("rsyslog")
        return
    node = root.node("rsyslog")
    view = root.view("rsyslog") if isinstance(node, Mapping) else root  # a list is the old form of `configs`
    items = list(view.items("configs")) if view is not root else list(root.items("rsyslog"))
    directory, default = "/etc/rsyslog.d", "20-cloud-config.conf"
    if view is root:
        directory, default = root.text("rsyslog_dir", directory) or directory, root.text("rsyslog_filename", default) or default
    else:
        directory, default = view.text("config_dir", directory) or directory, view.text("config_filename", default) or default
    files: dict[str, str] = {}
    for path, one in items:
        entry = View(work.leftovers, path, one) if isinstance(one, Mapping) else None
        name, content = (entry.text("filename", default), entry.text("content")) if entry else (default, text(one))
        if content is None or not name:
            work.leftovers.left(path, "the content is missing")
            continue
        files[name] = files.get(name, "") + content.rstrip("\n") + "\n"
        if entry:
            entry.close()
    if view is not root:
        remotes = [line for name, path, one in view.view("remotes").members() for line in _remote(work, name, path, text(one))]
        if remotes:
            files[default] = files.get(default, "") + "".join(f"{line}\n" for line in remotes)
        if view.flag("install_rsyslog"):
            view.left("install_rsyslog", "no package is installed", "add rsyslog to the image")
        view.ignore("check_exe", "packages", "service_reload_command")  # the files exist before rsyslog starts
        view.close()
    for name, content in files.items():
        work.output.file(os.path.join(directory, name), content, root.at("rsyslog"))


def _remote(work: Work, name: str, path: tuple[str | int, ...], line: str | None) -> list[str]:
    found = _REMOTE.fullmatch((line or "").partition("#")[0].strip())
    if not found:
        work.leftovers.left(path, "this is not a filter and an address of rsyslog")
        return []
    port = f":{found['port']}" if found["port"] else ""
    return [f"{found['match'] or '*.*'} {found['to'] or '@'}{found['host']}{port} # {name}"]


def _wireguard(work: Work, root: View) -> None:
    view = root.view("wireguard")
    for path, node in view.items("interfaces"):
        one = View(work.leftovers, path, node)
        name, file, content = one.text("name"), one.text("config_path"), one.text("content")
        if not name or not re.fullmatch(r"[A-Za-z0-9_=+.-]{1,15}", name) or not file or content is None:
            work.leftovers.left(path, "name, config_path or content is missing or malformed")
        else:
            work.output.file(file, content, path, mode=0o600)
            work.output.unit(f"wg-quick@{name}.service", path)
            work.leftovers.note(path, "wireguard-tools must be in the image")
        one.close()
    view.left("readinessprobe", "the boot does not wait for the tunnel", "order a unit After=wg-quick@NAME.service")
    view.close()
