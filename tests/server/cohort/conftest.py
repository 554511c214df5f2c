"""What a command changes for the process that runs it is as before for the next test."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """`cohort run` keeps what it writes to its owner."""
    before = os.umask(0o022)
    yield
    os.umask(before)
