"""The processes of a service, and what the machine allows them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from soak.processes import tree_of


@contextmanager
def short_of(process: int, what: int, allowed: dict[int, int]) -> Iterator[None]:
    """Let the machine allow less for a while, to processes that run.

    Args:
        process: whose, and that of its children.
        what: one of `resource.RLIMIT_…`.
        allowed: by process.
    """
    before = {one: resource.prlimit(one, what) for one in tree_of(process)}  # type: ignore[attr-defined]
    for one, (_, hard) in before.items():
        resource.prlimit(one, what, (allowed[one], hard))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for one, limits in before.items():
            resource.prlimit(one, what, limits)  # type: ignore[attr-defined]


def handles_of(process: int) -> int:
    """How many file handles a process has open."""
    return len(os.listdir(f"/proc/{process}/fd"))
