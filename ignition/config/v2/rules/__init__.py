"""The validation rules of the 2.x specs (docs/reference/ignition-config.md §3.6). Their ids: V and the row of that table.

As in 3.x, what is asked of one member alone is a check in the model.

Unlike Ignition 0.x, a record that breaks a rule does not hide what is wrong with its members.
"""


def load() -> None:
    """Import the rules. They register themselves."""
    from importlib import import_module

    for section in ("ignition", "disks", "filesystems", "nodes", "reachable", "units", "passwd"):
        import_module(f"ignition.config.v2.rules.{section}")
