"""Network conversion: a datasource's network description as units of systemd-networkd.

Source: docs/reference/coreos-cloudinit.md §17.

packet.py and vmware.py read these platforms' descriptions; Debian's is read by ignition/network/from_debian.py, DigitalOcean's by
ignition/platforms. ignition/network/networkd.py renders the units, and apply.py writes and activates them.
"""

from __future__ import annotations

FORMATS = ("debian", "digitalocean", "packet", "vmware")  # of --convert-netconf
