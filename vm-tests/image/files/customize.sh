#!/bin/sh
# Runs inside the image's root after the agent has been installed, and configures Debian's packages for this image.
set -eu
kernel=${1?usage: customize.sh KERNEL-VERSION [OPTION-OF-DRACUT…]} # empty: without an initramfs
shift

# Only enable units that a preset lists: the first boot applies presets, and Debian's default is to enable all other units.
systemctl preset-all >/dev/null 2>&1
# It would prompt for a locale and a root password on the console.
ln -sf /dev/null /etc/systemd/system/systemd-firstboot.service

groupadd -r -f sudo
useradd --create-home --shell /bin/bash --groups sudo,systemd-journal core
passwd --lock core >/dev/null
passwd --lock root >/dev/null

# One image for many machines: unique identifiers are generated at the first boot.
rm -f /etc/ssh/ssh_host_* /etc/hostname /var/lib/dbus/machine-id /var/lib/systemd/random-seed /etc/machine-id
echo uninitialized >/etc/machine-id
mkdir -p /var/log/journal
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

[ -n "$kernel" ] || exit 0
dracut --quiet --force --kver "$kernel" "$@" "/boot/initrd.img-$kernel"
