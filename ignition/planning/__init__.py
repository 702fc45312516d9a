"""`ignition plan`: the operations of all stages for a machine that is only known by facts, and what they will have changed.

The stages plan as they do in a boot; here are the machine and the root that they see, before and after each operation. Not in the
initramfs.
"""
