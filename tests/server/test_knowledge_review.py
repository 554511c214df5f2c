"""A review that is overdue is told to everybody who looks, and stops nothing."""

from dataclasses import replace
from datetime import date, timedelta
from threading import Event

import pytest

from cards.knowledge import knowledge
from server.application import create_app
from server.condition import Condition
from server.connecting.findings import Verdict, has_failed
from server.connecting.settings_checks import check_settings
from server.runtime import open_runtime
from server.store.database import IN_MEMORY
from tests.server.conftest import CONFIG
from tests.server.logged import lines

DUE = knowledge().review.review_by


@pytest.mark.requirement("SAF-22")
def test_an_overdue_review_degrades_the_service_is_logged_once_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    day = DUE
    runtime = open_runtime(replace(CONFIG, database_url=IN_MEMORY, today=lambda: day))
    ready = Event()
    ready.set()
    condition = Condition(ready, runtime)
    assert condition.look() == (None, ())
    day = DUE + timedelta(days=1)
    assert [condition.look() for _ in range(2)] == [(None, ("knowledge-review-overdue",))] * 2
    assert lines(caplog, "health") == ["event=degraded reason=knowledge-review-overdue"]


@pytest.mark.requirement("SAF-22")
def test_the_doctor_says_when_a_review_was_due() -> None:
    def said(today: date) -> list[str]:
        findings = list(check_settings(replace(CONFIG, today=lambda: today)))
        assert not has_failed(findings)
        return [finding.what for finding in findings if finding.verdict is Verdict.WARNING and finding.requirement == "SAF-22"]

    assert said(DUE) == []
    assert said(DUE + timedelta(days=1)) == [f"review: the knowledge was to be held against its sources by {DUE}"]


@pytest.mark.requirement("SAF-22")
def test_the_guidelines_show_when_they_are_to_be_reviewed_and_who_signed() -> None:
    page = create_app(CONFIG).test_client().get("/guidelines").get_data(as_text=True)
    assert f'<time datetime="{DUE}">' in page
    assert "signed by no clinician yet" in page
