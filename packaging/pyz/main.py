"""`__main__` of the one file with all programs. A link called `butane` runs that one, and so does `ignition.pyz butane`.

An older Python reads this file, too, to say that it is too old: nothing here is newer than Python 2.7.
"""

import os
import sys

PROGRAMS = {
    "ignition": "ignition.cli.ignition",
    "ignition-validate": "ignition.cli.validate",
    "coreos-metadata": "coreos_metadata.main",
    "coreos-cloudinit": "ignition.cli.cloudinit",
    "coreos-install": "ignition.cli.install",
    "butane": "ignition.cli.butane",
    "ct": "ignition.cli.ct",
}
OLDEST = (3, 11)

if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit("ignition: Python 3.11 or newer is required, this is Python " + sys.version.split()[0])
    from importlib import import_module

    # By the name of the file, unless that is `ignition`; by the first word; else `ignition`.
    called = os.path.basename(sys.argv[0])
    if called not in PROGRAMS or called == "ignition":
        called = sys.argv.pop(1) if sys.argv[1:] and sys.argv[1] in PROGRAMS else "ignition"
    sys.exit(import_module(PROGRAMS[called]).main())
