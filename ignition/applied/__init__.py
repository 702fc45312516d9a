"""The state of a machine after its first boot, and differences from it: `ignition verify`.

The stages write the record (record.py). Everything else is for people and their tools, and not in the initramfs.
"""
