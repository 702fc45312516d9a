"""What `ignition-validate` does with one config, and how it shows it: to people, as JSON, as SARIF."""
