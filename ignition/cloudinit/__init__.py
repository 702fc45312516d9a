"""coreos-cloudinit: user data and metadata applied to a running machine. Source: docs/reference/coreos-cloudinit.md."""
