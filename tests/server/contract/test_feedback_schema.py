"""The published schema of feedback and the reader that takes it apart say the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.schema_files import validator
from server.feedback.items import read_feedback

MEMBERS: dict[str, list[Any]] = {
    "card": ["123456", "9f5c8a3e-6a0c-4d8e-9c1b-2f5d7c1f0a11", "", " ", 5, None, "x" * 257],
    "outcome": ["accepted", "overridden", "ignored", None],
    "outcomeTimestamp": ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.5+01:00", "2026-11-22 10:00", "2026-11-22", "", 5],
    "acceptedSuggestions": [[{"id": "s1"}], [{"id": "s1"}, {"id": "s2", "extension": {}}], None, [{}], "s1", [5]],
    "overrideReason": [{"reason": {"code": "c", "system": "s"}}, {"userComment": "x"}, None, [], "c", {"reason": "c"}],
    "overrideReasons": [{"reason": {"code": "c"}}, {}],
    "extension": [{"com.example": 1}],
}


def items() -> st.SearchStrategy[dict[str, Any]]:
    """One item, of good and bad members, some of them missing."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in MEMBERS.items()})


@pytest.mark.requirement("F-2", "F-3", "F-4", "F-6", "F-8")
@settings(max_examples=2000)  # few items are good in every member
@given(items())
def test_what_the_schema_allows_is_kept_and_what_is_kept_without_remark_is_allowed(item: dict[str, Any]) -> None:
    body = {"feedback": [item]}
    allowed = validator("feedback").is_valid(body)
    batch = read_feedback(body)
    if allowed:
        assert batch.refused == ()
    if not (batch.refused or batch.remarks):
        assert allowed
