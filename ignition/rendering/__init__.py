"""From where a config lies to the one config that the stages carry out: found, read, merged, checked."""
