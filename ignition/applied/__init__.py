"""What the first boot applied, and whether this machine is still like that: `ignition verify`.

The stages write the record (record.py). Everything else is for people and their tools, and not in the initramfs.
"""
