"""The user whom a platform creates on other systems (Azure's admin)."""


class FirstUser:
    """`password` is in clear, "" for none: it must be hashed before anything is written."""

    def __init__(self, name: str, ssh_keys: list[str], password: str) -> None:
        self.name, self.ssh_keys, self.password = name, ssh_keys, password
