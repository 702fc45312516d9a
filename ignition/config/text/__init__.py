"""The text of a config: what it is, whether packed or no JSON at all, and where in it the values are."""
