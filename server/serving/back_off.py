"""When a process that ended by itself is started again: at once after a good life, and ever later while it ends soon (PR-01)."""

from dataclasses import dataclass, replace

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
GOOD_LIFE_SECONDS = 60.0
"""A process that lived for so long ends for another reason than the one before it."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before the next start.

    Args:
        seconds: 0 after a good life.
    """

    seconds: float = 0.0

    def after(self, life: float) -> "BackOff":
        """The same after a further end.

        Args:
            life: of the process that ended, in seconds.
        """
        if life >= GOOD_LIFE_SECONDS:
            return BackOff()
        return replace(self, seconds=min(LONGEST_SECONDS, max(FIRST_SECONDS, 2 * self.seconds)))
