"""Growth of ROOT, and of other partitions of its type, to the end of their disks, through all layers.

Source: docs/reference/boot.md §8.1 to §8.3 (Container Linux, Fedora CoreOS). By partition type, never by label or number. For
everything that does not grow, the reason and the remedy are reported.
"""

from __future__ import annotations

from ignition.storage.grow.facts import FORMATS, ROOT_TYPE, GrowFacts
from ignition.storage.grow.layers import grown_table
from ignition.storage.grow.plan import is_candidate, plan
from ignition.storage.grow.probing import probe

__all__ = ["FORMATS", "ROOT_TYPE", "GrowFacts", "grown_table", "is_candidate", "plan", "probe"]
