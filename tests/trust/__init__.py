"""Digests, signatures and the age of configs."""
