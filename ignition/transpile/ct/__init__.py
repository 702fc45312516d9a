"""Container Linux Config → Ignition 2.3.0, as the last `ct` had it. Source: config-transpiler.md, Part A."""
