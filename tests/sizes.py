"""How many examples of a large law are tried: some by `make test`, all of them by `make soak` (`python -m soak laws`)."""

import os

WHOLE = "MYOSITIS_CDS_WHOLE_LAWS"
"""Environment variable: set to anything, every law is tried in full."""


def size(whole: int, *, part: int) -> int:
    """How many examples to try now.

    Args:
        whole: of the law as it is stated.
        part: of the suite, which has ten minutes for everything.
    """
    return whole if os.environ.get(WHOLE) else part
