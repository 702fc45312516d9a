"""What plan, verify and report show: disks before and after, entries with their changes; as text, JSON and a page.

Only for people at a terminal and their tools: no stage imports it, and it is not in the initramfs.
"""
