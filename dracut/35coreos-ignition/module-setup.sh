#!/bin/bash
# First-boot provisioning in the initramfs. A distribution opts in with add_dracutmodules+=" coreos-ignition ".
#
# Everything listed without "optional" must exist: otherwise the build of the initramfs fails, rather than the first
# boot of a machine. Python modules, shared libraries and programs are computed, see closure.py.
#
# ignition_features="raid luks …" in dracut's configuration names the features that the initramfs gets (ignition/host/features.py);
# without it they are all for which the image has the programs.

# shellcheck disable=SC2154  # variables that dracut sets: moddir, initdir, systemdsystemunitdir, ignition_features, …

libexec=/usr/lib/coreos-ignition
entries=(ignition.cli.ignition ignition.cli.validate ignition.cli.kargs_helper coreos_metadata.main)

check() {
    return 255
}

depends() {
    echo base systemd systemd-initrd udev-rules kernel-modules fs-lib
}

installkernel() {
    local omit_drivers=${omit_drivers-} # dracut's: a regular expression
    choose_features
    has mellanox || omit_drivers+=${omit_drivers:+|}^mlx
    # The ESP with any code page; file systems of a config; sources of a config.
    hostonly='' instmods vfat nls_ascii nls_cp437 nls_iso8859-1 nls_utf8 ext4
    hostonly='' instmods -o qemu_fw_cfg iso9660 isofs udf sr_mod virtio_console virtio_blk virtio_scsi virtio_net virtio_pci virtio_rng
    ! has xfs || hostonly='' instmods xfs
    ! has btrfs || hostonly='' instmods btrfs
    ! has raid || hostonly='' instmods -o linear raid0 raid1 raid10 raid456
    ! has lvm || hostonly='' instmods -o dm_mod dm_mirror dm_snapshot dm_thin_pool
    ! has luks || hostonly='' instmods -o dm_mod dm_crypt xts essiv cbc ecb sha256_generic sha512_generic hmac algif_skcipher algif_hash \
        aesni_intel
    ! has clevis || hostonly='' instmods -o "=drivers/char/tpm"
    # zram for ROOT's contents while it is reprovisioned.
    hostonly='' instmods -o zram nvme ahci sd_mod uas usb_storage
    # Channels of hypervisors: VirtualBox, Hyper-V, Apple's.
    hostonly='' instmods -o vboxguest hv_utils vsock vmw_vsock_virtio_transport
    # Network cards through which a config can be fetched.
    hostonly='' instmods -o ipv6 af_packet bonding vmxnet3 xen-netfront hv_netvsc "=drivers/net/ethernet"
}

# must COMMAND …: like set -e, which breaks dracut's functions.
must() {
    if ! "$@"; then
        dfatal "coreos-ignition: failed: $*"
        exit 1
    fi
}

# Not inst_multiple alone, which reports missing programs and continues.
must_have() {
    local name file
    must inst_multiple "$@"
    for name; do
        file=$name
        [[ $name == /* ]] || file=$(find_binary "$name") || must false "$name is not installed"
        [[ -e $initdir$file ]] || must false "$file did not get into the initramfs"
    done
}

# Sets `features` to the words of the chosen ones.
choose_features() {
    features=$(/usr/bin/python3 "$moddir/closure.py" features "${ignition_features[*]-}") || must false "closure.py features"
    features=${features//$'\n'/ }
}

has() {
    [[ " $features " == *" $1 "* ]]
}

install_agent() {
    local extensions libraries programs scripts
    mkdir -p "$initdir$libexec"
    # shellcheck disable=SC2086  # one name per word
    printf '%s\n' $features >"$initdir$libexec/features"
    scripts=("$moddir/network-down")
    ! has clevis || scripts+=("$moddir/curl")
    must_have /usr/bin/python3 /usr/bin/ignition /usr/bin/coreos-metadata
    extensions=$(/usr/bin/python3 "$moddir/closure.py" install "$initdir" --proof "$initdir$libexec/proof.py" \
        "${entries[@]/#/--entry=}" "${scripts[@]/#/--script=}") ||
        must false "closure.py install"
    # Debian's are not executable, and dracut only resolves libraries of executables.
    # shellcheck disable=SC2086  # one path per word
    libraries=$(ldd $extensions) || must false "ldd of Python's extension modules"
    [[ $libraries != *"not found"* ]] || must false "a library is missing: $libraries"
    # shellcheck disable=SC2046,SC2086  # one path per word
    must_have $extensions $(sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' <<<"$libraries" | sort -u)
    programs=$(/usr/bin/python3 "$moddir/closure.py" programs required) || must false "closure.py programs"
    # shellcheck disable=SC2046  # one name per word
    must_have $(grep -vxE 'useradd|usermod|userdel' <<<"$programs")
    install_account_programs
    programs=$(/usr/bin/python3 "$moddir/closure.py" programs optional --features "$features") || must false "closure.py programs"
    # shellcheck disable=SC2086  # one name per word
    inst_multiple -o ${programs/gpgv/} # see install_keys
    must_have "$libexec/kargs-helper"
    # If the image has one for its own boot loader, it was installed with the optional programs.
    find_binary ignition-kargs-helper >/dev/null || ln -s "$libexec/kargs-helper" "$initdir/usr/bin/ignition-kargs-helper"
    # For Python's ctypes, which locates libraries by ldconfig.
    must inst_script "$moddir/ldconfig" /usr/sbin/ldconfig
    # Certificate authorities for HTTPS; the second name is OpenSSL's default location.
    must_have /etc/ssl/certs/ca-certificates.crt
    mkdir -p "$initdir/usr/lib/ssl"
    ln -sf /etc/ssl/certs/ca-certificates.crt "$initdir/usr/lib/ssl/cert.pem"
    inst_multiple -o /etc/ssl/openssl.cnf /usr/lib/ssl/openssl.cnf /etc/mke2fs.conf /usr/share/mke2fs.conf
}

# The keys by which configs are signed, gpgv to check them, and the image's demand that they are: docs/trust.md. Without keys gpgv has
# no use, and its size is saved. With the demand but without a key no config would ever be accepted.
install_keys() {
    local directory=/usr/lib/ignition top=${dracutsysrootdir-} file keys=()
    for file in "$top$directory"/trusted.gpg "$top$directory"/trusted.gpg.d/*.{asc,gpg}; do
        [[ ! -f $file ]] || keys+=("${file#"$top"}")
    done
    if [[ -e $top$directory/config-verify ]]; then
        [[ ${keys[*]} ]] || must false "$directory/config-verify demands signed configs, but there is no $directory/trusted.gpg"
        must_have "$directory/config-verify"
    fi
    [[ ! ${keys[*]} ]] || must_have gpgv "${keys[@]}"
}

# Three programs of shadow-utils use libsemanage for their option -Z alone, which the agent never sets. It brings libsepol: 0.4 MB.
install_account_programs() {
    local name program
    for name in useradd usermod userdel; do
        program=$(find_binary "$name") || must false "$name is not installed"
        install_without libsemanage semanage_ "$(readlink -f "$program")" || must_have "$name"
    done
}

# install_without LIBRARY SYMBOLS PROGRAM: a copy that does not need one library, see without_library.py, and the other libraries.
install_without() {
    local libraries
    mkdir -p "$initdir${3%/*}"
    /usr/bin/python3 "$moddir/without_library.py" "$3" "$1" "$2" "$initdir$3" || return
    libraries=$(ldd "$initdir$3") || must false "ldd $3"
    # shellcheck disable=SC2046  # one path per word
    must_have $(sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' <<<"$libraries")
}

# Arrays, logical volumes and encrypted volumes. Membership is read from the devices (udev rules), never from a configuration of
# the machine that built the image.
install_storage() {
    must inst_simple "$moddir/11-ignition-persist.rules" "$udevdir/rules.d/11-ignition-persist.rules"
    must inst_simple "$moddir/62-ignition-hold.rules" "$udevdir/rules.d/62-ignition-hold.rules"
    must inst_script "$moddir/assemble" "$libexec/assemble"
    inst_multiple -o basename readlink systemd-run
    ! has raid || install_arrays
    ! has lvm || install_volume_groups
    if has luks || has lvm; then
        inst_multiple -o dmsetup
        inst_rules -o 55-dm.rules 60-persistent-storage-dm.rules 95-dm-notify.rules
    fi
    ! has luks || install_unlocking
    ! has clevis || install_clevis
}

install_arrays() {
    inst_multiple -o mdadm mdmon "$systemdsystemunitdir"/mdadm-last-resort@.{timer,service}
    inst_rules -o 01-md-raid-creating.rules 63-md-raid-arrays.rules 64-md-raid-assembly.rules
    # Arrays get the name stored in them, regardless of the host that created them.
    printf 'HOMEHOST <ignore>\nAUTO +all\n' >"$initdir/etc/mdadm.conf"
    [[ ! -d /etc/mdadm ]] || { mkdir -p "$initdir/etc/mdadm" && cp "$initdir/etc/mdadm.conf" "$initdir/etc/mdadm/mdadm.conf"; }
}

install_volume_groups() {
    inst_multiple -o lvm
    inst_rules -o 56-lvm.rules 69-lvm.rules
    mkdir -p "$initdir/etc/lvm"
    # All volume groups, without a host's list of devices, lock manager or monitoring daemon.
    printf 'devices {\n use_devicesfile = 0\n}\nactivation {\n monitoring = 0\n}\n' >"$initdir/etc/lvm/lvm.conf"
}

# Unlocks ROOT on later boots: the volumes on the kernel command line (rd.luks.name=), by clevis or by an operator at the console.
install_unlocking() {
    inst_multiple -o "$systemdutildir"/systemd-{cryptsetup,reply-password} "$systemdutildir/system-generators/systemd-cryptsetup-generator" \
        "$systemdsystemunitdir"/{cryptsetup,cryptsetup-pre,remote-cryptsetup}.target \
        "$systemdsystemunitdir"/systemd-ask-password-console.{path,service} systemd-{ask-password,tty-ask-password-agent}
    start_with_cryptsetup systemd-ask-password-console.path
    mkdir -p "$initdir$systemdsystemunitdir/sysinit.target.wants"
    [[ ! -e $initdir$systemdsystemunitdir/cryptsetup.target ]] ||
        ln -sf ../cryptsetup.target "$initdir$systemdsystemunitdir/sysinit.target.wants/cryptsetup.target"
}

# start_with_cryptsetup UNIT
start_with_cryptsetup() {
    mkdir -p "$initdir$systemdsystemunitdir/cryptsetup.target.wants"
    [[ ! -e $initdir$systemdsystemunitdir/$1 ]] || ln -sf "../$1" "$initdir$systemdsystemunitdir/cryptsetup.target.wants/$1"
}

# Unattended binding and unlocking of volumes: clevis' scripts, the programs they start, and every pin of the image, as a config may use any.
install_clevis() {
    inst_multiple -o bash clevis clevis-{encrypt,decrypt} /usr/bin/clevis-{encrypt,decrypt}-* \
        clevis-luks-{bind,unlock,pass,list,unbind,common-functions} jose pwmake tr sort cut mktemp tail rm grep sed cat dd \
        "$systemdsystemunitdir"/clevis-luks-askpass.{path,service} /usr/libexec/clevis-luks-askpass /etc/services
    start_with_cryptsetup clevis-luks-askpass.path
    install_tpm2_tools
    must inst_script "$moddir/curl" "$libexec/substitutes/curl"
    must inst_simple "$moddir/substitutes.conf" "$systemdsystemunitdir/clevis-luks-askpass.service.d/50-ignition.conf"
    # Random passwords do not need a dictionary check.
    mkdir -p "$initdir/etc/security"
    echo 'dictcheck = 0' >"$initdir/etc/security/pwquality.conf"
}

# One program for all tools, or one for each. libcurl, which clevis never uses, would bring more than 4 MB: see without_library.py.
install_tpm2_tools() {
    local tools=(tpm2_{createprimary,create,createpolicy,load,unseal,flushcontext,pcrread}) program tool
    inst_libdir_file -o "libtss2-tcti-device.so*"
    find_binary "${tools[0]}" >/dev/null || return 0
    program=$(readlink -f "$(find_binary "${tools[0]}")")
    if [[ ${program##*/} != tpm2 ]] || ! install_without libcurl curl_ "$program"; then
        inst_multiple "${tools[@]}"
        return
    fi
    for tool in "${tools[@]}"; do
        ln -sf "${program##*/}" "$initdir${program%/*}/$tool"
    done
    must chroot "$initdir" "$program" unseal --version >/dev/null
}

install_units() {
    local unit script
    for unit in "$moddir"/*.service "$moddir"/*.target; do
        must inst_simple "$unit" "$systemdsystemunitdir/${unit##*/}"
    done
    for script in esp network-up network-down emergency visibly shell; do
        must inst_script "$moddir/$script" "$libexec/$script"
    done
    must inst_simple "$moddir/platform-titles" "$libexec/platform-titles"
    must inst_script "$libexec/root-can-grow"
    must inst_script "$moddir/ignition-generator" "$systemdutildir/system-generators/ignition-generator"
    mkdir -p "$initdir$systemdsystemunitdir/emergency.target.wants"
    ln -sf ../ignition-emergency.service "$initdir$systemdsystemunitdir/emergency.target.wants/ignition-emergency.service"
    must inst_simple "$moddir/emergency-shell.conf" "$systemdsystemunitdir/emergency.service.d/50-ignition.conf"
    for unit in systemd-networkd.socket systemd-networkd.service systemd-resolved.service systemd-udevd{.service,-control.socket,-kernel.socket}; do
        must inst_simple "$moddir/kept-on-failure.conf" "$systemdsystemunitdir/$unit.d/50-ignition-failure.conf"
    done
    install_password
    # Programs that the scripts above run.
    must_have blkid cat date dmesg grep head mkdir mount readlink rm sed sleep sync udevadm umount systemctl journalctl systemd-detect-virt
    # dracut-systemd brings its own emergency.service; without it systemd's needs this.
    must_have "$systemdsystemunitdir/emergency.service" sulogin setsid
    # systemd passes it on to services. Until dracut 059 the module base, which this one depends on, made these links.
    [[ -e $initdir/usr/lib/os-release ]] || ln -s initrd-release "$initdir/usr/lib/os-release"
    [[ -e $initdir/etc/os-release ]] || ln -s ../usr/lib/os-release "$initdir/etc/os-release"
    # For the operator at that shell. systemd's programs look for a pager of this name first.
    must_have /usr/bin/ignition-validate
    if ! has tools || ! find_binary less >/dev/null; then
        must inst_script "$moddir/pager" /usr/bin/pager
    else
        ln -sf less "$initdir/usr/bin/pager"
    fi
    inst_multiple -o ls findmnt
    # Without its terminal's description, less asks whether to go on.
    ! has tools || inst_multiple -o ip less lsblk ps resolvectl {/usr/lib,/lib,/usr/share,/etc}/terminfo/{l/linux,v/vt220,v/vt102,d/dumb}
}

# Root's password at the shell of a failed boot, for ignition.failure.shell=password.
install_password() {
    local hash="" file=${dracutsysrootdir-}/etc/ignition/emergency.passwd-hash
    [[ -e $file ]] || return 0
    read -r hash <"$file" || :
    [[ $hash == '$'*'$'* && $hash != *[:\ ]* ]] || must false "$file is not a hash of crypt(5)"
    touch "$initdir/etc/shadow"
    sed -i '/^root:/d' "$initdir/etc/shadow"
    printf 'root:%s:::::::\n' "$hash" >>"$initdir/etc/shadow"
    chmod 0600 "$initdir/etc/shadow"
    # The module base, which is installed later, would add a line without a password.
    touch "$initdir/etc/passwd"
    grep -q '^root:' "$initdir/etc/passwd" || echo "root:x:0:0::/root:/bin/sh" >>"$initdir/etc/passwd"
    sed -i 's/^root:[^:]*:/root:x:/' "$initdir/etc/passwd"
}

install_network() {
    local user
    must_have "$systemdutildir"/systemd-{networkd,networkd-wait-online,resolved,network-generator} \
        "$systemdsystemunitdir"/systemd-{networkd.service,networkd.socket,resolved.service}
    inst_multiple -o networkctl /etc/protocols
    must inst_simple "$moddir/zz-ignition.network" /usr/lib/systemd/network/zz-ignition.network
    for user in systemd-network systemd-resolve; do
        grep -qs "^$user:" "$initdir/etc/passwd" || grep "^$user:" /etc/passwd >>"$initdir/etc/passwd" || must false "no user $user"
        grep -qs "^$user:" "$initdir/etc/group" || grep "^$user:" /etc/group >>"$initdir/etc/group" || must false "no group $user"
    done
    ln -sf ../run/systemd/resolve/stub-resolv.conf "$initdir/etc/resolv.conf"
    [[ -e $initdir/etc/nsswitch.conf ]] || printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$initdir/etc/nsswitch.conf"
    [[ -e $initdir/etc/hosts ]] || printf '127.0.0.1 localhost\n::1 localhost\n' >"$initdir/etc/hosts"
}

# Verification: in a chroot of the new tree, every module of the closure can be imported, the agent starts, and accounts can be made.
verify() {
    local scratch
    [[ -c $initdir/dev/null ]] || must mknod "$initdir/dev/null" c 1 3
    must chroot "$initdir" /usr/bin/python3 -I "$libexec/proof.py"
    must chroot "$initdir" /usr/bin/ignition --version
    must chroot "$initdir" "$libexec/kargs-helper" --version
    must chroot "$initdir" /usr/bin/coreos-metadata --version
    rm "$initdir$libexec/proof.py"
    scratch=$(mktemp -d -p "$initdir") || must false mktemp
    mkdir "$scratch/etc"
    touch "$scratch"/etc/{passwd,shadow,group,gshadow}
    must chroot "$initdir" useradd --prefix "${scratch#"$initdir"}" --no-create-home --no-user-group proof
    must chroot "$initdir" usermod --prefix "${scratch#"$initdir"}" --comment proof proof
    must chroot "$initdir" userdel --prefix "${scratch#"$initdir"}" proof
    rm -r "$scratch"
}

install() {
    # Install libraries now instead of at the end of dracut, because verify() starts the installed programs.
    local -x DRACUT_RESOLVE_DEPS=1
    choose_features
    install_agent
    install_keys
    install_storage
    install_units
    install_network
    verify
}
