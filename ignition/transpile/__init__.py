"""Translation of YAML documents to Ignition configs: Container Linux Config (`ct`) and Butane.

Source: docs/reference/config-transpiler.md. Text → tree (config/text/yaml_text) → records of the source (reading.py) →
`Generated`, the data of an Ignition config and the origin of each part, → JSON text (generated.py) → the parser of configs, whose
findings are placed in the YAML (findings.py). This room neither fetches nor writes; the programs pass in a function that reads
local files.
"""
