"""Secrets that are planted where a person or a platform may put one, and looked for wherever anybody else can read."""
