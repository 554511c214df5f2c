"""How far a run is, for whoever waits for it: a bar in a terminal, else now and then a line. On standard error."""

import sys
import time
from collections.abc import Callable

import click

_BETWEEN_LINES = 30.0  # seconds
_WIDTH = 28


class Progress:
    """Follows the steps of a run.

    Args:
        clock: seconds.
        is_terminal: whether a bar can be drawn; by default whether standard error is one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, is_terminal: bool | None = None) -> None:
        """Nothing has begun."""
        self._clock = clock
        self._is_terminal = sys.stderr.isatty() if is_terminal is None else is_terminal
        self._title, self._counted = "", ""
        self._before = self._done = self._of = self._found = 0
        self._begun = self._said = 0.0

    def step(self, title: str, done: int, of: int, counted: str) -> None:
        """See `run.Follower`."""
        self._title, self._counted = title, counted
        self._before = self._done = done
        self._of, self._found = of, 0
        self._begun = self._said = self._clock()
        if done < of:
            self._say()

    def ended(self, found: int) -> None:
        """See `run.Follower`."""
        self._done += 1
        self._found += found
        is_last = self._done == self._of
        if self._is_terminal or is_last or self._clock() - self._said >= _BETWEEN_LINES:
            self._say(is_last=is_last)

    def _say(self, *, is_last: bool = False) -> None:
        self._said = self._clock()
        start, end = ("\r", "\n" if is_last else "") if self._is_terminal else ("", "\n")
        click.echo(f"{start}{self.line}{end}", err=True, nl=False)

    @property
    def line(self) -> str:
        """`Evaluating  ████      43 %  120,300 patients  480/s  2 min left`."""
        share = self._done / self._of if self._of else 1.0
        filled = round(_WIDTH * share)
        seconds = self._clock() - self._begun
        rate = f"{self._found / seconds:,.0f}/s" if seconds > 0 and self._found else ""
        parts = (
            f"{self._title:<10}",
            "█" * filled + "·" * (_WIDTH - filled),
            f"{share:>4.0%}",
            f"{self._found:,} {self._counted}",
            rate,
            self._left(seconds),
        )
        return "  ".join(part for part in parts if part)

    def _left(self, seconds: float) -> str:
        done = self._done - self._before
        if not done or self._done == self._of:
            return ""
        left = seconds / done * (self._of - self._done)
        return f"{left / 60:.0f} min left " if left >= 90 else f"{left:.0f} s left "
