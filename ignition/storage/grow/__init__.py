"""Growth of ROOT, and of whatever else has its partition type, to the end of its disks, through all layers below it.

Source: docs/reference/boot.md §8.1 to §8.3 (Container Linux, Fedora CoreOS). By partition type, never by label or number. What
does not grow says why, and what helps.
"""

from __future__ import annotations

from ignition.storage.grow.facts import FORMATS, ROOT_TYPE, GrowFacts
from ignition.storage.grow.layers import grown_table
from ignition.storage.grow.plan import is_candidate, plan
from ignition.storage.grow.probing import probe

__all__ = ["FORMATS", "ROOT_TYPE", "GrowFacts", "grown_table", "is_candidate", "plan", "probe"]
