"""Messages about JSON in the words of YAML."""

import pytest

from ignition.transpile.findings import in_yaml


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shouldExist is false, but sizeMiB describes it", "should_exist is false, but size_mib describes it"),
        ("begin it at startMiB 11 or later", "begin it at start_mib 11 or later"),
        ("duplicate: kernelArguments.shouldExist.0 is", "duplicate: kernel_arguments.should_exist.0 is"),
        ("label myData is that of partitions.0", "label myData is that of partitions.0"),
        ("give the URL of a typeGuid", "give the URL of a type_guid"),
        ("modes are decimal: for 0644 write 420", "write 0644: a leading zero makes it octal"),
        ("modes are decimal: 420 is 0644, 493 is 0755", "write it in octal, with a leading zero, as in 0644"),
        ("path is not absolute", "path is not absolute"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert in_yaml(text) == words
