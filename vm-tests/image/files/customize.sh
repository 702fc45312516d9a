#!/bin/sh
# Runs inside the image's root, after the agent has been installed: what makes Debian's packages one machine.
set -eu
kernel=${1:?usage: customize.sh KERNEL-VERSION}

# Enabled is what a preset names; nothing else, because the first boot applies presets and Debian enables whatever is unnamed.
systemctl preset-all >/dev/null 2>&1
# It would ask at the console for a locale and a root password.
ln -sf /dev/null /etc/systemd/system/systemd-firstboot.service

groupadd -r -f sudo
useradd --create-home --shell /bin/bash --groups sudo,systemd-journal core
passwd --lock core >/dev/null
passwd --lock root >/dev/null

# One image, many machines: whatever tells them apart is made at the first boot.
rm -f /etc/ssh/ssh_host_* /etc/hostname /var/lib/dbus/machine-id /var/lib/systemd/random-seed /etc/machine-id
echo uninitialized >/etc/machine-id
mkdir -p /var/log/journal
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

dracut --quiet --force --kver "$kernel" "/boot/initrd.img-$kernel"
