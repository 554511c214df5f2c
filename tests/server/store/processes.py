"""What the tests run in a process of its own, to be killed or to have fewer rights."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 60


def python(*arguments: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """Run Python.

    Args:
        arguments: what to run, as on a command line.
        before: a command to start it with.
    """
    return subprocess.run(
        [*before, sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
    )
