"""The companion: writes a platform's metadata as an environment file, a host name, SSH keys and network configuration."""
