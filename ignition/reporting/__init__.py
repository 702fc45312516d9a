"""The report of a first boot: read, checked and shown as text, JSON and a page. The files stage writes it (stages/result.py)."""
