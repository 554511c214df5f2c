"""What came of the requests of a fuzzing trial."""

from collections import Counter
from dataclasses import dataclass, field

SECONDS = 5
"""Longer than this, and it hangs."""

_FAULT, _NOT_IMPLEMENTED = 500, 501
_KEPT = 10


@dataclass(slots=True)
class Seen:
    """What came of the requests.

    Args:
        statuses: how often each came; 0 for a connection that was closed without one.
        faults: the first of those that should not have come, with what was sent.
        hangs: requests without an end.
        mebibytes: memory after so many requests.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    hangs: int = 0
    mebibytes: list[tuple[int, float]] = field(default_factory=list)

    def count(self, status: int, sent: bytes, *, must_be_answered: bool = True) -> None:
        """Count one answer; 501 is the right one to a transfer coding that is not there (RFC 9112, 6.1).

        Args:
            status: 0 if there was none.
            sent: the request.
            must_be_answered: whether no answer is a fault, as it is to a request in good HTTP.
        """
        self.statuses[status] += 1
        if (status >= _FAULT and status != _NOT_IMPLEMENTED) or (must_be_answered and not status):
            self.fault(f"{status or 'no answer'}: {sent[:2000]!r}")

    def fault(self, said: str) -> None:
        """Keep it, if it is one of the first."""
        if len(self.faults) < _KEPT:
            self.faults.append(said)
