"""Subjects of commits are `area: what changed`, in at most 72 characters: `git log --oneline` and changelogs are read by them."""

import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
SINCE = "c215a3b0493aea3d44b59fcbde60c4690af0ae4f"  # commits up to this one are older than the rule
LONGEST = 72
SUBJECT = re.compile(r"[a-z0-9][\w./,+ -]*: \S.*[^.\s]")


def git(*arguments: str) -> str:
    """Standard output of git in this repository; "" if it fails."""
    done = subprocess.run(["git", *arguments], cwd=TOP, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def problems(subject: str) -> list[str]:
    """The violated rules."""
    found = []
    if len(subject) > LONGEST:
        found.append(f"{len(subject)} characters, {LONGEST} are allowed")
    if not SUBJECT.fullmatch(subject):
        found.append("not of the form `area: what changed`, without a full stop")
    return found


def test_subjects_of_commits() -> None:
    if not (TOP / ".git").exists():
        pytest.skip("not a git repository: there are no commits to check")
    if not git("rev-parse", "--verify", "--quiet", f"{SINCE}^{{commit}}"):
        pytest.skip(f"the history does not reach back to {SINCE}: a shallow clone")
    listed = git("log", "--no-merges", "--format=%h %s", f"{SINCE}..HEAD").splitlines()
    wrong = [f"{line}: {', '.join(found)}" for line in listed if (found := problems(line.partition(" ")[2]))]
    assert wrong == []


@pytest.mark.parametrize(
    "subject",
    ["docs: an index by task", "tests, dracut: names follow their modules", "platforms/aws: IMDSv2", "s3: " + "x" * 68],
)
def test_subject_is_accepted(subject: str) -> None:
    assert problems(subject) == []


@pytest.mark.parametrize(
    "subject",
    [
        "Fix things",
        "docs: an index by task.",
        "docs:no space",
        "Docs: capital",
        "docs: ",
        "s3: " + "x" * 69,
        "a sentence without area",
    ],
)
def test_subject_is_rejected(subject: str) -> None:
    assert problems(subject) != []
