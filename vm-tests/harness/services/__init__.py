"""Servers on this host that a guest talks to; one file per kind."""
