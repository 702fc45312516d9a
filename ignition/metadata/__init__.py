"""The parts of a platform's table: the source of the user config, the place of the metadata, and the names of its values."""
