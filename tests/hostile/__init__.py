"""Hostile images: whatever a root file system holds, no program leaves it, hangs on it, or ends with a trace.

Whoever makes an image, and every user of a machine, can put anything at a path: links that lead out of the root, loops, FIFOs,
devices, sockets, directories where files belong, holes of many GiB, names that are not text. Our programs run as root, and read
and write at those paths. Each row of the tables here is one image (or one machine) in which one thing is hostile:

    image.py          builds the root, and beside it a twin: the same tree with a secret in each file, where links can lead to
    machine.py        the same as a living system, whose user core is hostile
    hostility.py      the kinds of hostile things, each a function that puts one at a place
    sandbox.py        runs one of our programs in namespaces of its own, and kills it when its time is up
    test_roots.py     what runs in an initramfs, on a root: the stages, coreos-metadata, the helpers
    test_machines.py  what runs on a living system: coreos-cloudinit, coreos-metadata --ssh-keys

The judge (`image.Image.verdict`) asks four questions. Did each program end in time? Did it end well, or with a failure that says
what is wrong, without a Python trace? Is the twin as before: every inode, owner, mode, time and byte? Is no secret of it in the
root or in what a program printed?

`HOSTILE_LIMIT_S` changes the limit of 30 s: a suite with many rows that hang takes that long for each.
"""
