"""Which build of the software this is."""

import os
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def software_version() -> str:
    """The version of the installed distribution."""
    return version("myositis-cds")


@cache
def git_commit() -> str | None:
    """The commit that the software was built from: MYOSITIS_CDS_COMMIT, else the checkout it runs from, else None."""
    named = os.environ.get("MYOSITIS_CDS_COMMIT", "").lower()
    return named if _COMMIT.fullmatch(named) else commit_of(_ROOT / ".git")


def commit_of(git_folder: Path) -> str | None:
    """What HEAD of a Git folder points to, or None where that cannot be told."""
    head = _text(git_folder / "HEAD")
    if head.startswith("ref: "):
        name = head.removeprefix("ref: ")
        head = _text(git_folder / name) or _packed(_text(git_folder / "packed-refs"), name)
    return head if _COMMIT.fullmatch(head) else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""


def _packed(packed_refs: str, name: str) -> str:
    lines = (line.split(" ") for line in packed_refs.splitlines())
    return next((line[0] for line in lines if line[1:] == [name]), "")
