"""The user whom a platform creates on other systems (Azure's admin)."""

from ignition.host import key_lines


class FirstUser:
    """`password` is in clear, "" for none: it must be hashed before anything is written. Only what is a key counts.

    `was_given_keys`: also if none of them is one.
    """

    def __init__(self, name: str, ssh_keys: list[str], password: str) -> None:
        self.name, self.password, self.was_given_keys = name, password, bool(ssh_keys)
        self.ssh_keys = key_lines.keys(ssh_keys, f"SSH keys of user {name}", whole=True)
