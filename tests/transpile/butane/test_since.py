"""Every member of a document, and the first version that has it: before that the key is unused.

Source: docs/reference/config-transpiler.md §B4.
"""

from collections.abc import Iterator

import pytest

from ignition.transpile.butane import translate
from ignition.transpile.butane.variants import VARIANTS, versions_of

# The first versions of fcos and of flatcar, "-" for none. Then members, with a value of their type; several in braces.
TABLE = """
1.0 1.0 ignition.config.merge[].{source,verification.hash}=a
1.0 1.0 ignition.config.replace.{source,verification.hash}=a
1.0 1.0 ignition.security.tls.certificate_authorities[].{source,verification.hash}=a
1.1 1.0 ignition.config.merge[].{inline,local,compression,http_headers[].name,http_headers[].value}=a
1.1 1.0 ignition.config.replace.{inline,local,compression,http_headers[].name,http_headers[].value}=a
1.1 1.0 ignition.security.tls.certificate_authorities[].{inline,local,compression,http_headers[].name,http_headers[].value}=a
1.0 1.0 ignition.timeouts.{http_response_headers,http_total}=1
1.1 1.0 ignition.proxy.{http_proxy,https_proxy,no_proxy[]}=a
1.4 1.0 kernel_arguments.{should_exist[],should_not_exist[]}=a
1.0 1.0 storage.disks[].device=a
1.0 1.0 storage.disks[].wipe_table=true
1.0 1.0 storage.disks[].partitions[].{number,label,size_mib,start_mib,guid,type_guid}=1
1.0 1.0 storage.disks[].partitions[].{wipe_partition_entry,should_exist}=true
1.2 1.0 storage.disks[].partitions[].resize=true
1.0 1.0 storage.raid[].{name,level,devices[],spares,options[]}=1
1.0 1.0 storage.filesystems[].{device,format,path,label,uuid,options[]}=a
1.0 1.0 storage.filesystems[].wipe_filesystem=true
1.1 1.0 storage.filesystems[].mount_options[]=a
1.1 1.0 storage.filesystems[].with_mount_unit=true
1.0 1.0 storage.files[].{path,mode,user.id,user.name,group.id,group.name}=1
1.0 1.0 storage.directories[].{path,mode,user.id,user.name,group.id,group.name}=1
1.0 1.0 storage.links[].{path,target,user.id,user.name,group.id,group.name}=1
1.0 1.0 storage.{files[].overwrite,directories[].overwrite,links[].overwrite,links[].hard}=true
1.0 1.0 storage.files[].contents.{source,inline,compression,verification.hash}=a
1.0 1.0 storage.files[].append[].{source,inline,compression,verification.hash}=a
1.1 1.0 storage.files[].contents.{local,http_headers[].name,http_headers[].value}=a
1.1 1.0 storage.files[].append[].{local,http_headers[].name,http_headers[].value}=a
1.2 1.0 storage.luks[].{name,device,label,uuid,options[],key_file.source,key_file.inline,key_file.local}=a
1.2 1.0 storage.luks[].wipe_volume=true
1.5 1.1 storage.luks[].{discard,open_options[]}=true
1.6 1.2-exp storage.luks[].cex.enabled=true
1.2 1.0 storage.luks[].clevis.{tang[].url,tang[].thumbprint,threshold}=1
1.2 1.0 storage.luks[].clevis.{tpm2,custom.pin,custom.config,custom.needs_network}=true
1.5 1.1 storage.luks[].clevis.tang[].advertisement=a
1.1 1.0 storage.trees[].{local,path}=a
1.7 1.2-exp storage.trees[].{user.id,user.name,group.id,group.name,file_mode,dir_mode}=1
1.0 1.0 systemd.units[].{name,enabled,mask,contents,dropins[].name,dropins[].contents}=true
1.5 1.1 systemd.units[].{contents_local,dropins[].contents_local}=a
1.8-exp 1.2-exp systemd.quadlets[].{name,rootful,contents,contents_local}=true
1.8-exp 1.2-exp systemd.quadlets[].dropins[].{name,contents,contents_local}=a
1.0 1.0 passwd.users[].{name,password_hash,ssh_authorized_keys[],uid,gecos,home_dir,primary_group,groups[],shell}=1
1.0 1.0 passwd.users[].{no_create_home,no_user_group,no_log_init,system}=true
1.2 1.0 passwd.{users[].should_exist,groups[].should_exist}=true
1.5 1.1 passwd.users[].ssh_authorized_keys_local[]=a
1.0 1.0 passwd.groups[].{name,gid,password_hash}=1
1.0 1.0 passwd.groups[].system=true
1.3 - boot_device.{layout,mirror.devices[],luks.tang[].url,luks.tang[].thumbprint,luks.threshold}=1
1.3 - boot_device.luks.tpm2=true
1.5 - boot_device.luks.{discard,tang[].advertisement}=true
1.6 - boot_device.luks.{device,cex.enabled}=true
1.5 - grub.users[].{name,password_hash}=a
"""  # Flatcar's filter, not its schema, refuses clevis before 1.2.


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Path, value, first version of fcos, first version of flatcar."""
    for line in TABLE.strip().split("\n"):
        fcos, flatcar, member = line.split(" ")
        path, _, value = member.partition("=")
        base, brace, names = path.partition("{")
        for name in names.removesuffix("}").split(",") if brace else [""]:
            yield base + name, value, fcos, flatcar


ROWS = list(rows())


def document(variant: str, version: str, path: str, value: str) -> bytes:
    """With that member alone, in flow style."""
    text = value
    for part in reversed(path.split(".")):
        name = part.removesuffix("[]")
        text = f"{{{name}: {f'[{text}]' if part.endswith('[]') else text}}}"
    return f"variant: {variant}\nversion: {version}\n{text[1:-1]}\n".encode()


def unused(variant: str, version: str, path: str, value: str) -> bool:
    done = translate(document(variant, version, path, value), name="x", files_dir=None)
    assert "unmarshal" not in done.failure, done
    return any(entry.message.startswith("Unused key") for entry in done.report.entries)


@pytest.mark.parametrize("variant", ["fcos", "flatcar"])
@pytest.mark.parametrize(("path", "value", "fcos", "flatcar"), ROWS, ids=[row[0] for row in ROWS])
def test_member_is_known_since_its_version(path: str, value: str, fcos: str, flatcar: str, variant: str) -> None:
    since = fcos if variant == "fcos" else flatcar
    known = [version for version in versions_of(variant) if not unused(variant, version, path, value)]
    full = {version.replace(".0-experimental", "-exp").removesuffix(".0"): version for version in versions_of(variant)}
    wanted = versions_of(variant)[versions_of(variant).index(full[since]) :] if since != "-" else []
    assert known == wanted


def test_variants_are_those_of_the_reference() -> None:
    assert {key: one.spec for key, one in VARIANTS.items()} == {
        ("fcos", "1.0.0"): "3.0.0",
        ("fcos", "1.1.0"): "3.1.0",
        ("fcos", "1.2.0"): "3.2.0",
        ("fcos", "1.3.0"): "3.2.0",
        ("fcos", "1.4.0"): "3.3.0",
        ("fcos", "1.5.0"): "3.4.0",
        ("fcos", "1.6.0"): "3.5.0",
        ("fcos", "1.7.0"): "3.6.0",
        ("fcos", "1.8.0-experimental"): "3.7.0-experimental",
        ("flatcar", "1.0.0"): "3.3.0",
        ("flatcar", "1.1.0"): "3.4.0",
        ("flatcar", "1.2.0-experimental"): "3.7.0-experimental",
    }


@pytest.mark.parametrize(
    "path", ["storage.disks[].extension", "storage.files[].filesystem", "storage.x-coreos", "ignition.version"]
)
def test_what_only_our_model_has_is_unknown(path: str) -> None:
    assert unused("flatcar", "1.2.0-experimental", path, "{}")
