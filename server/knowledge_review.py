"""Says when the knowledge is due for review: in the log, and to whoever asks how the service fares (SAF-22, hazard H6)."""

from dataclasses import dataclass, field
from datetime import date

from server.observing.logs import logger
from server.runtime import Runtime

_log = logger("knowledge")


@dataclass(slots=True)
class ReviewWatch:
    """Looks whether the review is overdue, and says so in the log once a day.

    Args:
        runtime: the knowledge, and the day.
    """

    runtime: Runtime
    _said: date | None = field(default=None, init=False)

    def is_overdue(self) -> bool:
        """Whether the knowledge should have been reviewed before today."""
        known, today = self.runtime.basis.knowledge, self.runtime.config.today()
        if not known.review.is_overdue(today):
            return False
        if self._said != today:
            self._said = today
            _log.warning("knowledge_review_overdue", days=(today - known.review.review_by).days, knowledge=known.version)
        return True
