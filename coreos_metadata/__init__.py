"""The companion: what a platform's metadata says about the machine, as an environment file, a host name and SSH keys."""
