"""A machine after its first boot: its state for `ignition status`, and the way back to a first boot for `ignition reset`.

Only for people on a running system and their tools: no stage imports it, and it is not in the initramfs.
"""
