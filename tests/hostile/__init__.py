"""Hostile images: whatever the content of a root file system, no program leaves it, hangs on it, or ends with a traceback.

The author of an image, and every user of a machine, can put anything at a path: links that lead out of the root, loops, FIFOs,
devices, sockets, directories in the place of files, holes of many GiB, names that are not text. Our programs run as root, and
read and write at those paths. Each row of the tables here is one image (or one machine) with one hostile node:

    image.py          builds the root, and beside it a twin: the same tree with a secret in each file, as a target of links
    machine.py        the same as a running system, whose user core is hostile
    hostility.py      the kinds of hostile nodes, each a function that creates one
    sandbox.py        runs one of our programs in namespaces of its own, and kills it when its time is up
    test_roots.py     the programs of an initramfs, on a root: the stages, coreos-metadata, the helpers
    test_machines.py  the programs of a running system: coreos-cloudinit, coreos-metadata --ssh-keys

`image.Image.verdict` checks four things: each program ends in time; it succeeds, or fails with a message that says what is wrong
and without a Python traceback; the twin is unchanged, in every inode, owner, mode, time and byte; and none of its secrets is in
the root or in the output of a program.

`HOSTILE_LIMIT_S` changes the limit of 120 s: a suite with many rows that hang takes that long for each.
"""
