"""Network conversion: what a datasource says of the network, as units of systemd-networkd.

Source: docs/reference/coreos-cloudinit.md §17.

debian.py, packet.py and vmware.py read the documents; DigitalOcean's is read by ignition/platforms. units.py writes the texts,
apply.py plans what makes them count.
"""

from __future__ import annotations

FORMATS = ("debian", "digitalocean", "packet", "vmware")  # of --convert-netconf
