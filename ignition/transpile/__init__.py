"""Configs as people write them, in YAML, and what they become: Container Linux Config (`ct`) and Butane.

Source: config-transpiler.md. Text → tree (config/text/yaml_text) → records of the source (reading.py) → `Generated`, data of an
Ignition config and where each part comes from → JSON text (json_output.py) → the parser of configs, whose findings are placed
in the YAML (findings.py). Nothing here fetches or writes; local files are read through what the programs pass in.
"""
