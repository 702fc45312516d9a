#!/bin/bash
# The root of a machine without a disk: a squashfs, loaded into memory from the URL of coreos.live.rootfs_url=, below an overlay in
# memory. Only the initramfs of the PXE set has this module: vm-tests/image/pxe.py adds it, and includes the digest of the root.
#
# dracut's own (livenet, dmsquash-live) bring a second network stack, curl and dracut's shell stages; here the network and the
# HTTP client are those that the agent has anyway.

# shellcheck disable=SC2154  # variables that dracut sets: moddir, initdir, systemdsystemunitdir

check() {
    return 255
}

depends() {
    echo coreos-ignition
}

installkernel() {
    hostonly='' instmods squashfs loop overlay
}

install() {
    inst_script "$moddir/live-root" /usr/lib/coreos-live/live-root
    inst_simple "$moddir/coreos-live-root.service" "$systemdsystemunitdir/coreos-live-root.service"
    inst_simple "$moddir/sysroot.mount" "$systemdsystemunitdir/sysroot.mount"
    inst_multiple mount modprobe
    mkdir -p "$initdir$systemdsystemunitdir/initrd-root-fs.target.requires"
    ln -sf ../sysroot.mount "$initdir$systemdsystemunitdir/initrd-root-fs.target.requires/sysroot.mount"
}
