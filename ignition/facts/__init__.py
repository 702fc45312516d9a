"""Facts about a machine: what a plan depends on, as a document that can be written on one machine and read on another.

Not in the initramfs: the stages look at the machine itself.
"""
