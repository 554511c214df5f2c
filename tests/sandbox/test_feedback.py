"""Feedback: what the service is told about its cards, and that it arrives or that it is said."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sandbox.dialects import DIALECTS
from sandbox.feedback import PAUSES, accepted, deliver, overridden
from tests.sandbox.conftest import StubService

AT = datetime(2026, 11, 22, 11, 0, 1, 500_000, tzinfo=timezone(timedelta(hours=1)))
REASON = {"code": "patient-refuses", "system": "http://example.org/reasons", "display": "Patient refuses", "extension": {}}


def test_what_was_taken_is_named_by_the_uuids_at_a_moment_in_utc() -> None:
    assert accepted("card", ["one", "two"], AT) == {
        "card": "card",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "one"}, {"id": "two"}],
        "outcomeTimestamp": "2026-11-22T10:00:01.500Z",
    }


def test_a_dismissal_brings_the_reason_as_a_coding_and_the_comment() -> None:
    assert overridden("card", REASON, "her wish", AT, DIALECTS["standard"]) == {
        "card": "card",
        "outcome": "overridden",
        "overrideReason": {
            "reason": {"code": "patient-refuses", "system": "http://example.org/reasons", "display": "Patient refuses"},
            "userComment": "her wish",
        },
        "outcomeTimestamp": "2026-11-22T10:00:01.500Z",
    }


def test_like_epic_the_member_has_another_name_and_like_the_public_sandbox_no_display() -> None:
    assert "overrideReasons" in overridden("card", REASON, "", AT, DIALECTS["epic"])
    said = overridden("card", REASON, "", AT, DIALECTS["sandbox"])
    assert said["overrideReason"] == {"reason": {"code": "patient-refuses", "system": "http://example.org/reasons"}}


def test_a_dismissal_without_a_reason_and_a_comment_has_no_empty_member() -> None:
    assert overridden("card", None, "", AT, DIALECTS["standard"]).keys() == {"card", "outcome", "outcomeTimestamp"}


class Attempts:
    """Counts tokens and pauses."""

    def __init__(self) -> None:
        self.tokens = 0
        self.pauses: list[float] = []

    def token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    def deliver(self, url: str) -> str:
        return deliver(url, accepted("card", ["one"], datetime.now(UTC)), self.token, wait=self.pauses.append)


def test_feedback_that_arrives_is_sent_once(service: StubService) -> None:
    attempts = Attempts()
    assert attempts.deliver(f"{service.url}/feedback") == "sent"
    assert [item["card"] for item in service.feedback] == ["card"]
    assert attempts.pauses == []


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_pass_is_tried_again_with_a_new_token_each_time_and_then_said(service: StubService, status: int) -> None:
    service.status, attempts = status, Attempts()
    said = attempts.deliver(f"{service.url}/feedback")
    assert said == f"The feedback could not be delivered. The service refused the call ({status})."
    assert [one["Authorization"] for one in service.headers] == ["Bearer token-1", "Bearer token-2", "Bearer token-3"]
    assert attempts.pauses == list(PAUSES)


def test_what_will_not_pass_is_not_tried_again(service: StubService) -> None:
    service.status, attempts = 401, Attempts()
    assert "could not be delivered" in attempts.deliver(f"{service.url}/feedback")
    assert attempts.tokens == 1


def test_a_service_that_is_down_is_named() -> None:
    assert "cannot be reached at http://127.0.0.1:9/feedback" in Attempts().deliver("http://127.0.0.1:9/feedback")


def test_an_answer_without_a_body_will_do(service: StubService) -> None:
    service.status, service.answer = 204, b""
    assert Attempts().deliver(f"{service.url}/feedback") == "sent"
