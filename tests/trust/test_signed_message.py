"""Which packets may be put before a text; what gpgv says of the messages: tests/installing/test_parts.py."""

import pytest

from ignition.trust import signed_message


@pytest.mark.parametrize(
    ("packets", "is_one"),
    [
        ("88 03 04 00 00", True),
        ("89 0003 04 00 00", True),
        ("8a 00000003 04 00 00", True),
        ("c2 03 04 00 00", True),
        (f"c2 c1 00 04 00 {'00' * 446}", True),  # 192 + 256 octets
        ("88 03 03 00 00", False),  # version 3
        ("88 03 04 01 00", False),  # of text
        ("88 02 04 00 00", False),  # something behind it
        ("88 04 04 00 00", False),  # truncated
        ("8b 04 00 00", False),  # without a length
        ("c2 ff 00000003 04 00 00", False),
        ("c2 e1 04 00", False),  # partial
        ("cb 03 04 00 00", False),  # a literal
        ("08 03 04 00 00", False),  # not a packet
        ("c2 c1", False),
        ("88", False),
        ("", False),
    ],
)
def test_packet_of_a_signature(packets: str, is_one: bool) -> None:
    assert signed_message.can_be_one(bytes.fromhex(packets)) == is_one
