"""English as the field writes it: phrases that read like a translation are found, with better words beside each.

`python -m tests.test_words PATH…` prints every hit below the paths (without one: everywhere), `--count` the number of hits per
folder. docs/development.md has the rules behind the table.

Of Python, string literals, docstrings and comments are read; shell scripts, units and the Makefile as a whole; Markdown without
its fenced blocks, which show output of programs. Of the tests only the shared helpers are read: test modules quote broken texts.
"""

import io
import re
import subprocess
import sys
import tokenize
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).resolve().parent.parent

# Derived from texts in Python, which are read there.
GENERATED = re.compile(r"docs/(fields-\d|platforms)\.md")
READ = re.compile(
    r"(README|CHANGELOG|docs/.*)\.md|docs/.*\.py|Makefile|\.ci/\w+|dracut/.*|(ignition|coreos_metadata)/.*\.py"
    r"|vm-tests/(harness|image|demo_story)/.*|vm-tests/\w+\.py|tests/(?!(.*/)?(test_|conftest)).*\.py"
)

# A text is read as one line: a space stands for a line break, too. ¶ is an empty line.
START = r"(?:^|(?<=[.:;!?¶|*-] ))"  # of a sentence, a cell or an item
BE = r"(?:is|are|was|were)"
SAID = "".join(rf"(?<!\b{verb} )" for verb in ("say", "says", "show", "shows", "see", "knows", "know", "see", "sees", "explains"))
BANNED = {
    # Negation belongs to the verb.
    rf"(?<!here )\b{BE} no (?!(longer|more|less|fewer|better|worse|later) )": "is not a …",
    rf"(?<!here )\b{BE} none\b(?! of\b)": "is missing, is malformed, is not a …",
    rf"\b(that|which) {BE} not one\b": "is not a …, is malformed",
    r"\b(of|through|under|behind|before|beside|from|for|to) no "
    r"(?!(longer|more|less|fewer|use|consequence|one|account)\b)": "not …",
    r"\b(knows?|asks?|follows?|writes?|reads?|touch(es)?|changes?|names?) no (?!(longer|more|one)\b)": "does not …",
    r"\b(on|with|in) no (?!(way|case|time|particular)\b)": "without …, not in any …",
    r"\b(not|nor|never|no) [^.;:¶|]{1,50}, too\b": "not … either",
    # A noun is the subject.
    rf"{START}What (?!(if|to)\b)[^.?!:;|¶]*(?!\?)[.:;|¶]": "a noun: not “What is absent” but “an absent argument”",
    rf"{START}What (?!(if|to)\b)[^.?!:;|¶]*$": "a noun: not “What was kept” but “the kept partitions”",
    rf"{START}Who(ever)? [^.?!:;|¶]*(?!\?)([.:;|¶]|$)": "a noun: “a user who …”, “the holder of …”",
    rf"{SAID}\bwhat is (?!(wrong|missing|needed|going|new|this|it)\b)": "a noun: “the installed …”, “anything accepted”",
    r"\bwhat (goes|helps|fails|differs|stands|lies|holds|follows|belongs|remains|depends|needs|takes)\b": (
        "a noun: “the rest”, “the remedy”, “long-running …”"
    ),
    r"\b(of|by|for|to|from|with|in) what\b(?! (to|would)\b)": "a noun: “of the fields”",
    r"\bwhat(ever)? (comes|came|becomes|became|must come) of\b": "the result of",
    r"\bcom(es?|ing) of (?!age\b)": "results from",
    r"\b(who|which) else\b": "another",
    r"\b(how many|which|that) there (is|are)\b"
    r"(?! (a|an|no|any|not?|none|some|two|several|more|enough|nothing)\b)": "the number of …, the available …",
    # Presence and absence.
    rf"\b({BE} there already|{BE} already there)\b": "already exists",
    rf"\b{BE} (not |still |always |also )?there"
    r"(?=[,.;:)\"|]| ¶|$| (and|or|but|is|are|when|if|before|after|that|for)\b)": "exists, is missing, is present",
    r"\bgo(es)? away\b": "is removed, is deleted",
    rf"\bas (they|it) {BE[:-1]}|be)\b(?= ?[,.;:)|¶])": "unchanged",
    # Standard terms.
    r"\bno end after\b": "timed out after",
    r"\bwithout (an )?end\b": "endless, indefinitely",
    r"\bfor ever\b": "forever, indefinitely",
    r"\b[Ss]ome (\d|a (hundred|thousand)\b)": "about 10",
    r"\banew\b": "again, from scratch, recreated",
    r"\bgives? (?!((up|way|rise|priority|(the |a )?reasons?|shapes)\b))": "returns, prints, sets, specifies, provides",
    rf"\b{BE} (said|told)\b": "is reported, is stated",
    r"\b(say|says|said) so\b": "reports it, warns",
    r"\bas good as (?!(new|any)\b)": "equivalent to",
    r"\bwants? to hear\b": "accepts, expects",
    r"\btell each other\b": "share",
    r"\bis known of\b": "… does not provide",
    r"\bsuch (a )?one\b": "one of these, such a file",
    r"\b(its|their) like\b": "and similar",
    r"\bin the words of\b": "expressed as, translated to",
    r"\bat the first look\b": "up front",
    r"\b(takes?|taken|took) (it |them |this |that )?for (?!(granted|itself|himself|sure)\b)": "treats as, mistakes for",
    r"\bone's own\b": "custom",
    r"\bto remark\b": "no warnings",
    r"\bno matter\b": "regardless of",
}
PATTERNS = {re.compile(pattern): better for pattern, better in BANNED.items()}

# Words of others, and the few places where English does say so: file → phrases.
ALLOWED = {
    "docs/development.md": ("is no", "is none", "what is"),  # the rules themselves
}


class Hit(NamedTuple):
    """A banned phrase."""

    file: str
    line: int
    phrase: str
    better: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: “{self.phrase}” → {self.better}"


Lines = list[tuple[int, str]]  # number of the line, its prose


def files() -> list[str]:
    """The files whose words count."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in listed if READ.fullmatch(name) and not GENERATED.fullmatch(name) and (TOP / name).is_file()]


def texts(name: str) -> Iterator[Lines]:
    """The pieces of prose in a file, each of which reads in one go."""
    content = (TOP / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        yield from of_python(content)
    elif name.endswith(".md"):
        content = re.sub(r"^ *```.*?^ *```$", lambda fence: "\n" * fence[0].count("\n"), content, flags=re.DOTALL | re.MULTILINE)
        content = re.sub(r'(?<=\])\([^)\s]*#[^)\s]*\)|<a id="[^"]*">', "", content)  # anchors of earlier headings stay
        yield list(enumerate(content.split("\n"), 1))
    else:
        yield [(number, re.sub(r"^\s*(#+|//|/?\*+)( |$)", "", line)) for number, line in enumerate(content.split("\n"), 1)]


def of_python(content: str) -> Iterator[Lines]:
    """String literals and comments; those that follow each other without code between them are one text."""
    text: Lines = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            if text and token.type != last:
                yield text
                text = []
            last = token.type
            plain = re.sub(r"^[a-zA-Z]{0,2}(\"\"\"|'''|[\"'])|(\"\"\"|'''|[\"'])$|^#+ ?", "", token.string)
            parts = list(enumerate(plain.split("\n"), token.start[0]))
            if text and text[-1][0] == parts[0][0]:  # on one line
                text[-1] = (text[-1][0], text[-1][1] + parts.pop(0)[1])
            text += parts
        elif text:
            yield text
            text = []
    if text:
        yield text


def hits(name: str) -> Iterator[Hit]:
    """What is found in a file, in the order of the table."""
    for text in texts(name):
        starts, joined = [], ""
        for _, line in text:
            starts.append(len(joined))
            joined += (" ".join(line.split()) or "¶") + " "
        for pattern, better in PATTERNS.items():
            for match in pattern.finditer(joined.rstrip()):
                phrase = match[0].strip(" ¶|")
                if not any(phrase in allowed for allowed in ALLOWED.get(name, ())):
                    yield Hit(name, text[bisect_right(starts, match.start()) - 1][0], phrase[:100], better)


def below(name: str, folders: set[str]) -> bool:
    """Whether a file is one of these, or in one of these."""
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def room(name: str) -> str:
    """The folder by which hits are counted."""
    parts = name.split("/")[:-1]
    return "/".join(parts[:2]) or name


def found(text: str) -> list[str]:
    """The better words for one sentence."""
    return [better for pattern, better in PATTERNS.items() if pattern.search(text)]


@pytest.mark.parametrize("folder", sorted({room(name) for name in files()}))
def test_words(folder: str) -> None:
    here = [name for name in files() if room(name) == folder]
    assert [str(hit) for name in here for hit in hits(name)] == []


@pytest.mark.parametrize(
    "text",
    [
        "this is no URL: it has no scheme",
        "the host name is none",
        "a key that is not one",
        "a resolver knows no other server",
        "later boots have no config, and no network, too",
        "What is not there is no fault.",
        "What may be quoted",
        "Who uses a disk.",
        "judges what is mounted",
        "does what helps",
        "a list of what was made",
        "/x is there already",
        "the flag is there, and the machine boots",
        "the flag goes away",
        "mkfs: no end after 120 s",
        "a read without end",
        "rebooting for ever",
        "takes some 10 minutes",
        "the file system is made anew",
        "gives the number of bytes",
        "the host is said to be down",
        "null is as good as absent",
        "aws wants to hear of nothing",
    ],
)
def test_phrase_is_found(text: str) -> None:
    assert found(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "there is no config",
        "The flag is no longer set.",
        "it is no more than a hint",
        "What if the network is down? What is new?",
        "a message says what is wrong and how to fix it",
        "if there is none, the default applies",
        "is there a config?",
        "it gives up after 5 attempts",
        "/x already exists and is not a swap file",
        "timed out after 120 s",
        "some of the disks",
    ],
)
def test_english_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_phrases_go_on_in_the_next_line_and_literal() -> None:
    (text,) = of_python('x = ("this is "\n     "no URL")\n')
    assert text == [(1, "this is "), (2, "no URL")]


def main(arguments: list[str]) -> int:
    """Prints hits, or their number per folder; the exit status."""
    paths = {path.rstrip("/") for path in arguments if path != "--count"}
    all_hits = [hit for name in files() if not paths or below(name, paths) for hit in hits(name)]
    if "--count" in arguments:
        for folder, number in sorted(Counter(room(hit.file) for hit in all_hits).items()):
            print(f"{number:6} {folder}")  # noqa: T201
        print(f"{len(all_hits):6} in all")  # noqa: T201
    else:
        print(*all_hits, sep="\n")  # noqa: T201
    return 1 if all_hits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
