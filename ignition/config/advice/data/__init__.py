"""What advice knows of systemd and of units; docs/advice/collect.py writes the files."""
