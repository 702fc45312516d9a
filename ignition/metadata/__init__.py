"""What the tables of the platforms are made of: where a config can be, where metadata can be, and how values are named."""
