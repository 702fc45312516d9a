"""coreos-cloudinit: user data and metadata applied to a running machine. Source: coreos-cloudinit.md of the reference."""
