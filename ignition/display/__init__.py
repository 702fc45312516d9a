"""The output of plan, verify and report: disks before and after, entries with their changes; as text, JSON and a page.

changes.py has the records, terminal.py the lines for a terminal, page.py the pages, bars.py the geometry of a disk. No stage
imports any of them. The initramfs has the lines, for `ignition report`, but not the pages.
"""
