"""Until when the knowledge may be taken for current (SAF-22): advice does not stop on that day, but everybody is told."""

from dataclasses import dataclass
from datetime import date

from cards.layers import REVIEW, Layers, label, read_document
from cards.verdicts import RuleError


@dataclass(frozen=True, slots=True)
class Review:
    """The last time that the knowledge as a whole was held against its sources.

    Args:
        reviewed: the day.
        review_by: the last day on which that is recent enough.
        reviewers: clinicians who put their name to it; empty while there is none.
    """

    reviewed: date
    review_by: date
    reviewers: tuple[str, ...] = ()

    def is_overdue(self, day: date) -> bool:
        """Whether it should have been done again before this day."""
        return day > self.review_by


def read_review(layers: Layers) -> Review:
    """The review of the site, where it has one of its own, else that of the knowledge folder.

    Raises:
        RuleError: the file is not what its schema says, names a day that there is none, or ends before it begins.
    """
    path = next(folder / REVIEW for folder in reversed(layers.folders()) if folder == layers.folder or (folder / REVIEW).exists())
    content = read_document(path, "review")
    try:
        reviewed, review_by = (date.fromisoformat(content[key]) for key in ("reviewed", "review_by"))
    except ValueError as error:
        raise RuleError(f"{label(path)}: names a day that is in no calendar") from error
    if review_by <= reviewed:
        raise RuleError(f"{label(path)}: review_by must be later than reviewed")
    return Review(reviewed, review_by, tuple(content["reviewers"]))
