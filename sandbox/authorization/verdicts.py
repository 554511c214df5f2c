"""One check of what an app did."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A check and how it came out.

    Args:
        what: the sentence that should be true.
        passed: whether it is.
        note: more, for one that did not pass.
    """

    what: str
    passed: bool
    note: str = ""
