"""The VM tests' own tools: machines in QEMU, services that they talk to, and eyes to judge disks from outside."""
