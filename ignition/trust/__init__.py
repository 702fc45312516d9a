"""Whether a config is the one that the owner of the image wants: its digest, its signatures, its age."""
