"""2.x configs → the internal model, with the meaning that they had for Ignition 0.x.

Source: docs/reference/ignition-config.md §2.2, §4.7 and §7.11 (not section 8: the converter described there loses meaning).
Features that the 3.x specs lack use the INTERNAL members of the model. Nothing is dropped: in plain members of accounts and
units, false and "" mean "not given" in both specs.
"""

from __future__ import annotations

from ignition.config import dataurl
from ignition.config.model import NEWEST, Config, passwd, storage, systemd
from ignition.config.model import ignition as ignition_model
from ignition.config.rules.paths import simplest
from ignition.config.v1.model import Group
from ignition.config.v2 import model as v2
from ignition.config.versions import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NETWORKD = "/etc/systemd/network"
_ROOT = "root"  # the predefined file system: the new root
_PERMISSIONS = 0o777  # setuid, setgid and sticky have no effect in 2.x
_NETWORKD_MODE = 0o644


def translate(config: v2.Config2, version: str) -> Config:
    """The equivalent config of the newest version. Invalid configs are translated as well: the report decides."""
    return Config(
        ignition=_ignition(config.ignition),
        passwd=passwd.Passwd(
            groups=tuple(map(_group, config.passwd.groups)),
            users=tuple(_user(user, version) for user in config.passwd.users),
        ),
        storage=_storage(config, version),
        systemd=systemd.Systemd(units=tuple(map(_unit, config.systemd.units))),
    )


def _ignition(about: v2.Ignition2) -> ignition_model.Ignition:
    # An absent object is not a resource; one without a source is an empty resource.
    is_absent = about.config.replace is v2.References.FIELDS["replace"].default
    replace = ignition_model.Resource() if is_absent else _resource(about.config.replace)
    return ignition_model.Ignition(
        version=NEWEST,
        translated=True,
        # One list in the model for both: `append` tells merging how to combine the configs.
        config=ignition_model.References(merge=tuple(map(_resource, about.config.append)), replace=replace, append=True),
        timeouts=ignition_model.Timeouts(
            http_response_headers=about.timeouts.http_response_headers, http_total=about.timeouts.http_total
        ),
        security=ignition_model.Security(
            tls=ignition_model.Tls(certificate_authorities=tuple(map(_resource, about.security.tls.certificate_authorities)))
        ),
        proxy=ignition_model.Proxy(
            http_proxy=about.proxy.http_proxy or None,
            https_proxy=about.proxy.https_proxy or None,
            no_proxy=about.proxy.no_proxy,
        ),
    )


def _resource(reference: v2.Reference) -> ignition_model.Resource:
    return ignition_model.Resource(
        source=reference.source,
        compression=(reference.compression or None) if isinstance(reference, v2.Contents) else None,
        http_headers=tuple(ignition_model.Header(name=header.name, value=header.value) for header in reference.http_headers),
        verification=ignition_model.Verification(hash=reference.verification.hash),
    )


def _group(group: Group) -> passwd.Group:
    return passwd.Group(name=group.name, gid=group.gid, password_hash=group.password_hash or None, system=group.system or None)


def _user(user: v2.User, version: str) -> passwd.User:
    """`create` stands for the members of the user, which 2.1 brought."""
    # Values in `create` replace those of the user itself (§7.11).
    about = user.create if user.create is not None else user
    hashed = user.password_hash
    # Before 2.1 the member was not nullable: "" is an absent hash, not an empty password.
    if not hashed and order(version) < order("2.1.0"):
        hashed = None
    return passwd.User(
        name=user.name,
        password_hash=hashed,
        ssh_authorized_keys=user.ssh_authorized_keys,
        uid=about.uid,
        gecos=about.gecos or None,
        home_dir=about.home_dir or None,
        no_create_home=about.no_create_home or None,
        primary_group=about.primary_group or None,
        groups=about.groups,
        no_user_group=about.no_user_group or None,
        no_log_init=about.no_log_init or None,
        shell=about.shell or None,
        system=about.system or None,
    )


def _unit(unit: v2.Unit) -> systemd.Unit:
    # Both keys add a line to the preset file, enable first, and the first matching line wins.
    return systemd.Unit(
        name=unit.name,
        enabled=True if unit.enable else unit.enabled,
        mask=unit.mask or None,
        contents=unit.contents or None,
        dropins=tuple(systemd.Dropin(name=dropin.name, contents=dropin.contents) for dropin in unit.dropins if dropin.contents),
    )


def _storage(config: v2.Config2, version: str) -> storage.Storage:
    old = config.storage
    # A file system of this name in the config replaces the predefined one.
    own_root = any(filesystem.name == _ROOT for filesystem in old.filesystems)
    return storage.Storage(
        directories=tuple(_directory(directory, own_root=own_root) for directory in old.directories),
        disks=tuple(_disk(disk, version) for disk in old.disks),
        files=(*(_file(file, own_root=own_root) for file in old.files), *_networkd(config.networkd)),
        filesystems=tuple(map(_filesystem, old.filesystems)),
        links=tuple(_link(link, own_root=own_root) for link in old.links),
        raid=tuple(map(_raid, old.raid)),
    )


def _disk(disk: v2.Disk, version: str) -> storage.Disk:
    return storage.Disk(
        device=disk.device,
        wipe_table=disk.wipe_table or None,
        partitions=tuple(_partition(partition, version) for partition in disk.partitions),
    )


def _partition(partition: v2.Partition, version: str) -> storage.Partition:
    # Before 2.3 these three are never absent: an existing partition is compared with 0 and "".
    always = order(version) < order("2.3.0")
    return storage.Partition(
        number=partition.number,
        label="" if always and partition.label is None else partition.label,
        size_mib=partition.size_mib,
        start_mib=partition.start_mib,
        size_sectors=0 if always and partition.size is None else partition.size,
        start_sectors=0 if always and partition.start is None else partition.start,
        type_guid=partition.type_guid or None,
        guid=partition.guid or None,
        wipe_partition_entry=partition.wipe_partition_entry or None,
        should_exist=partition.should_exist,
    )


def _raid(raid: v2.Raid) -> storage.Raid:
    return storage.Raid(name=raid.name, level=raid.level, devices=raid.devices, spares=raid.spares or None, options=raid.options)


def _filesystem(filesystem: v2.Filesystem) -> storage.Filesystem:
    mount = filesystem.mount
    if mount is None:
        # Nothing is created on a `path` file system: only entries refer to it.
        return storage.Filesystem(device="", name=filesystem.name, in_place=filesystem.path)
    create = mount.create
    return storage.Filesystem(
        device=mount.device,
        format=mount.format,
        name=filesystem.name,
        in_place=filesystem.path,
        label=mount.label,
        uuid=mount.uuid,
        # Rule V24 excludes options in both places, so the order does not matter.
        options=mount.options + (create.options if create else ()),
        wipe_filesystem=True if mount.wipe_filesystem or (create and create.force) else None,
        # `create` without force refuses a device with any signature.
        must_be_blank=True if create and not create.force else None,
    )


def _file(file: v2.File, *, own_root: bool) -> storage.File:
    if file.append:
        # An existing file keeps its owner and mode unless the config sets them.
        return storage.File(
            **_node(file, own_root=own_root),
            user=_owner(file.user, default=None),
            group=_owner(file.group, default=None),
            append=(_resource(file.contents),),
            mode=None if file.mode is None else file.mode & _PERMISSIONS,
        )
    return storage.File(
        **{**_node(file, own_root=own_root), "overwrite": file.overwrite is not False},
        user=_owner(file.user, default=0),
        group=_owner(file.group, default=0),
        contents=_resource(file.contents),
        mode=(file.mode or 0) & _PERMISSIONS,
    )


def _directory(directory: v2.Directory, *, own_root: bool) -> storage.Directory:
    return storage.Directory(
        **_node(directory, own_root=own_root),
        user=_owner(directory.user, default=0),
        group=_owner(directory.group, default=0),
        mode=(directory.mode or 0) & _PERMISSIONS,
        # 2.x creates missing parents with mode and owner of the directory itself.
        parents_alike=True,
    )


def _link(link: v2.Link, *, own_root: bool) -> storage.Link:
    default = None if link.hard else 0  # a hard link has the owner of its target
    return storage.Link(
        **_node(link, own_root=own_root),
        user=_owner(link.user, default=default),
        group=_owner(link.group, default=default),
        target=link.target,
        hard=link.hard or None,
    )


def _node(node: v2.Node, *, own_root: bool) -> dict[str, Any]:
    on_new_root = node.filesystem == _ROOT and not own_root
    return {
        "path": simplest(node.path) if node.path.startswith("/") else node.path,
        "overwrite": node.overwrite,
        "filesystem": None if on_new_root else node.filesystem,
    }


def _owner(owner: v2.Owner, *, default: int | None) -> storage.Owner:
    if owner.name:
        # An owner by name keeps an absent id: the name is looked up in the new root.
        return storage.Owner(id=owner.id, name=owner.name)
    return storage.Owner(id=default if owner.id is None else owner.id)


def _networkd(networkd: v2.Networkd) -> tuple[storage.File, ...]:
    files = []
    for unit in networkd.units:
        # Empty contents and drop-ins are skipped, as in Ignition 0.x.
        written = [(unit.name, unit.contents), *((f"{unit.name}.d/{dropin.name}", dropin.contents) for dropin in unit.dropins)]
        files += [
            storage.File(
                path=f"{NETWORKD}/{name}",
                overwrite=True,
                contents=ignition_model.Resource(source=dataurl.encode(contents.encode("utf-8"))),
                mode=_NETWORKD_MODE,
                user=storage.Owner(id=0),
                group=storage.Owner(id=0),
            )
            for name, contents in written
            if contents
        ]
    return tuple(files)
