"""Container Linux Config → Ignition 2.3.0, as the last release of `ct` did it. Source: docs/reference/config-transpiler.md §A."""
