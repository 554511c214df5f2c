"""Until when the knowledge may be taken for current."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cards.knowledge import knowledge, load_knowledge
from cards.verdicts import RuleError
from tests.site import site_with

REVIEW = 'reviewed: "2027-03-01"\nreview_by: "{by}"\nreviewers: ["Dr A. Example, rheumatology"]\n'


@pytest.mark.requirement("SAF-22")
def test_the_packaged_knowledge_is_due_for_review_within_a_year() -> None:
    review = knowledge().review
    assert timedelta(0) < review.review_by - review.reviewed <= timedelta(days=366)
    assert not review.is_overdue(review.review_by)
    assert review.is_overdue(review.review_by + timedelta(days=1))


@pytest.mark.requirement("SAF-22")
def test_a_review_of_the_site_takes_the_place_of_ours_and_leaves_the_version(tmp_path: Path) -> None:
    known = load_knowledge(site=site_with(tmp_path, review=REVIEW.format(by="2028-03-01")))
    assert (known.review.review_by, known.review.reviewers) == (date(2028, 3, 1), ("Dr A. Example, rheumatology",))
    assert known.version == knowledge().version  # a signature is no part of what is signed


@pytest.mark.requirement("SAF-22")
@pytest.mark.parametrize(
    ("by", "complaint"),
    [
        ("2027-02-30", "names a day that is in no calendar"),
        ("2027-03-01", "review_by must be later than reviewed"),
        ("next year", "review.yaml at review_by"),
    ],
)
def test_a_review_that_cannot_be_meant_stops_the_start(tmp_path: Path, by: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=complaint):
        load_knowledge(site=site_with(tmp_path, review=REVIEW.format(by=by)))
