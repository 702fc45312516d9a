"""The first-boot agent: fetches a machine's config and makes the machine what it says. See docs/architecture.md."""

from __future__ import annotations

__version__ = "0.1.0"
