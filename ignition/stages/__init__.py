"""One file per stage: probe, plan, run."""
