"""Facts about systemd, units and accounts for advice; docs/advice/collect.py writes the files."""
