"""Provisioning of the new root: files, users and groups, units. Pure planning beside the operations."""
