"""How `ignition-validate` examines one config, and its outputs: for people, JSON, SARIF."""
