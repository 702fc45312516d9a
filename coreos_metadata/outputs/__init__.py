"""What the companion writes, one file per kind."""
