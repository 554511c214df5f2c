"""Reading feedback: as EHRs send it, and as they should not."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import FeedbackError, TooMuchFeedbackError
from server.feedback.items import LONGEST_COMMENT, MOST_ITEMS, Item, Reason, read_feedback

UUID = "0d9a3c1e-6a53-4a55-93b9-a3f1b2a0d9c4"
ITEM = {"card": UUID, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
EPIC = "com.epic.cdshooks.feedback.overrideReason"


def read(**members: Any) -> Item:
    """The one item, kept without remark."""
    batch = read_feedback({"feedback": [ITEM | members]})
    assert (batch.refused, batch.remarks) == ((), ())
    (item,) = batch.items
    return item


def remarked(**members: Any) -> tuple[Item, str]:
    """The one item, and what was remarked on it."""
    batch = read_feedback({"feedback": [ITEM | members]})
    (item,), (remark,) = batch.items, batch.remarks
    return item, remark


def refusal(item: Any) -> str:
    """Why an item is refused; the good one before it is kept."""
    batch = read_feedback({"feedback": [ITEM, item]})
    assert len(batch.items) == 1
    (text,) = batch.refused
    return text


# --- as it should be


@pytest.mark.requirement("F-2", "F-3", "F-4", "F-5", "F-6")
def test_an_accepted_suggestion_is_read() -> None:
    item = read(outcome="accepted", acceptedSuggestions=[{"id": "s1"}, {"id": "s2", "extension": {}}])
    assert item == Item(UUID, "accepted", "2026-11-22T10:00:00.000000Z", suggestions=("s1", "s2"))


@pytest.mark.requirement("F-7")
def test_an_override_is_read_with_its_reason_and_its_comment() -> None:
    item = read(overrideReason={"reason": {"system": "s", "code": "c", "display": "d"}, "userComment": " not now "})
    assert item.reason == Reason("c", "s")
    assert item.comment
    assert (item.comment.text, item.comment.is_cut) == ("not now", False)


@pytest.mark.requirement("F-7", "FB-02")
def test_a_reason_without_display_and_system_is_one_as_the_sandbox_sends_it() -> None:
    for system in ({}, {"system": None}, {"system": ""}):
        assert read(overrideReason={"reason": {"code": "c"} | system}).reason == Reason("c", None)


@pytest.mark.requirement("F-8", "FB-02")
def test_epics_plural_is_read() -> None:
    assert read(overrideReasons={"reason": {"system": "s", "code": "c"}}).reason == Reason("c", "s")


@pytest.mark.requirement("F-8", "FB-02")
@pytest.mark.parametrize("nothing", [None, {}, {"reason": None}, {"userComment": None, "reason": None}])
def test_of_both_spellings_the_one_that_says_something_is_read(nothing: Any) -> None:
    something = {"reason": {"code": "c"}, "userComment": "words"}
    for item in (
        read(overrideReason=nothing, overrideReasons=something),
        read(overrideReason=something, overrideReasons=nothing),
        remarked(overrideReason="no object", overrideReasons=something)[0],
    ):
        assert item.reason == Reason("c")
        assert item.comment


@pytest.mark.requirement("F-7", "FB-02")
@pytest.mark.parametrize("system", ["https://ehr.example/" + "x" * 600, 7, ["s"], {"s": "s"}, True, " "])
def test_a_code_of_a_system_that_cannot_be_read_is_not_taken_for_one_of_ours(system: Any) -> None:
    item, remark = remarked(overrideReason={"reason": {"code": "action-completed", "system": system}, "userComment": "words"})
    assert item.reason is None
    assert item.comment
    assert remark.startswith("feedback[0].overrideReason.reason.system ")


@pytest.mark.requirement("F-8", "FB-02")
def test_a_reason_that_was_built_in_epic_is_read_from_its_extension() -> None:
    names = {f"{EPIC}.reasonCategory": "45", f"{EPIC}.reasonDisplay": "Does not meet criteria"}
    item = read(overrideReasons={"extension": names, "userComment": "words"})
    assert item.reason == Reason("45", f"{EPIC}.reasonCategory")
    assert item.comment


@pytest.mark.requirement("F-3")
@pytest.mark.parametrize("card", ["123456", "a" * 256, "ä card"])
def test_any_text_may_name_a_card(card: str) -> None:
    assert read(card=card).card == card


@pytest.mark.requirement("F-3")
@pytest.mark.parametrize("card", [UUID.upper(), f"urn:uuid:{UUID}"])
def test_one_uuid_is_one_card_however_it_is_written(card: str) -> None:
    assert read(card=card).card == UUID


@pytest.mark.requirement("F-6")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22t10:00:00z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.100000Z"),
        ("2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00.123456Z"),
        ("2026-11-22T10:00:00+00:00", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22T01:00:00+05:30", "2026-11-21T19:30:00.000000Z"),
        ("2026-11-22T10:00:00", "2026-11-22T10:00:00.000000Z"),
        ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59.000000Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
    ],
)
def test_moments_are_kept_in_one_form_in_utc(sent: str, kept: str) -> None:
    assert read(outcomeTimestamp=sent).outcome_at == kept


def test_an_empty_list_is_a_list() -> None:
    assert read_feedback({"feedback": []}).items == ()


# --- in part


@pytest.mark.requirement("F-9")
@pytest.mark.parametrize(
    "item",
    [
        pytest.param("text", id="no object"),
        pytest.param(ITEM | {"card": ""}, id="empty card"),
        pytest.param(ITEM | {"card": " "}, id="blank card"),
        pytest.param(ITEM | {"card": 7}, id="card as a number"),
        pytest.param(ITEM | {"card": "a" * 257}, id="long card"),
        pytest.param({name: ITEM[name] for name in ("outcome", "outcomeTimestamp")}, id="no card"),
        pytest.param(ITEM | {"outcome": "ignored"}, id="another outcome"),
        pytest.param(ITEM | {"outcome": ["accepted"]}, id="outcome as a list"),
        pytest.param(ITEM | {"outcomeTimestamp": None}, id="no timestamp"),
        pytest.param(ITEM | {"outcomeTimestamp": "22.11.2026"}, id="another timestamp"),
        pytest.param(ITEM | {"outcomeTimestamp": "2026-02-30T00:00:00Z"}, id="no such day"),
        pytest.param(ITEM | {"outcomeTimestamp": "0001-01-01T00:00:00+14:00"}, id="before all time"),
        pytest.param(ITEM | {"outcomeTimestamp": "2026-11-22T10:00:00Z\n"}, id="a line break"),
    ],
)
def test_one_bad_item_is_named_and_the_others_are_kept(item: Any) -> None:
    assert refusal(item).startswith("feedback[1]")


@pytest.mark.parametrize(
    ("members", "place"),
    [
        pytest.param({"overrideReason": "text"}, "overrideReason", id="reason as text"),
        pytest.param({"overrideReasons": [{}]}, "overrideReasons", id="Epic's name with a list"),
        pytest.param({"overrideReason": {"reason": "text"}}, "overrideReason.reason", id="coding as text"),
        pytest.param({"overrideReason": {"reason": {"system": "s"}}}, "overrideReason.reason", id="coding without code"),
        pytest.param({"overrideReasons": {"reason": {"code": "a" * 129}}}, "overrideReasons.reason", id="long code"),
        pytest.param({"overrideReason": {"userComment": 7}}, "overrideReason.userComment", id="comment as a number"),
        pytest.param({"outcome": "accepted"}, "acceptedSuggestions", id="accepted, but nothing"),
        pytest.param({"acceptedSuggestions": {"id": "s"}}, "acceptedSuggestions", id="suggestions as an object"),
        pytest.param({"acceptedSuggestions": ["s"]}, "acceptedSuggestions", id="suggestions as texts"),
        pytest.param({"acceptedSuggestions": [{"id": "s"}] * 101}, "acceptedSuggestions", id="endless suggestions"),
    ],
)
def test_what_cannot_be_read_of_an_item_is_named_and_the_rest_is_kept(members: Any, place: str) -> None:
    item, remark = remarked(**members)
    assert (item.card, item.reason, item.comment) == (UUID, None, None)
    assert remark.startswith(f"feedback[0].{place} ")


@pytest.mark.requirement("F-12", "FB-04")
@pytest.mark.parametrize("letter", ["a", "ä", "€", "😀"])
def test_a_long_comment_is_cut_between_letters_and_marked(letter: str) -> None:
    item, remark = remarked(overrideReason={"userComment": letter * 5000})
    assert item.comment
    assert LONGEST_COMMENT - 4 < len(item.comment.text.encode()) <= LONGEST_COMMENT
    assert item.comment.is_cut
    assert set(item.comment.text) == {letter}
    assert "was cut" in remark


@pytest.mark.requirement("F-12")
def test_a_comment_does_not_show_where_an_item_is_printed() -> None:
    assert "Mustermann" not in repr(read(overrideReason={"userComment": "Mustermann"}))


@pytest.mark.requirement("DB-07")
def test_characters_that_not_every_database_takes_are_replaced() -> None:
    item = read(card="a\0b", overrideReason={"userComment": "a\0b", "reason": {"code": "a\nb", "system": "\ts"}})
    assert item.card == "a\ufffdb"
    assert item.comment
    assert item.comment.text == "a b"
    assert item.reason == Reason("a\ufffdb", "\ufffds")


# --- not at all


@pytest.mark.requirement("F-2")
@pytest.mark.parametrize("body", [None, [], "text", {}, {"feedback": None}, {"feedback": {}}, [ITEM]])
def test_what_is_no_feedback_is_refused(body: Any) -> None:
    with pytest.raises(FeedbackError):
        read_feedback(body)


@pytest.mark.requirement("FB-04")
def test_a_batch_has_its_limit() -> None:
    assert len(read_feedback({"feedback": [ITEM] * MOST_ITEMS}).items) == MOST_ITEMS
    with pytest.raises(TooMuchFeedbackError):
        read_feedback({"feedback": [ITEM] * (MOST_ITEMS + 1)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ITEM, "overrideReason", "reason", "id"]), inner)
    ),
    max_leaves=8,
)
SLOPPY = st.fixed_dictionaries(
    {"card": st.just(UUID) | JSON, "outcome": st.sampled_from(["accepted", "overridden"]) | JSON},
    optional={
        "outcomeTimestamp": st.just("2026-11-22T10:00:00Z") | JSON,
        "acceptedSuggestions": JSON,
        "overrideReason": JSON,
        "overrideReasons": JSON,
    },
)


@given(st.lists(JSON | SLOPPY, max_size=4))
def test_whatever_is_in_a_batch_each_item_is_kept_or_named(sent: list[Any]) -> None:
    batch = read_feedback({"feedback": sent})
    assert len(batch.items) + len(batch.refused) == len(sent)


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(body: Any) -> None:
    with suppress(FeedbackError):
        read_feedback(body)
