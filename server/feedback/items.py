"""The body of a feedback request, read item by item: what can be counted is counted (conformance section 6).

Pure. One bad item never costs the others (F-9), and no message repeats a value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from server.errors import FeedbackError, FeedbackItemError, TooMuchFeedbackError

MOST_ITEMS = 200
MOST_BYTES = 1024 * 1024
LONGEST_COMMENT = 4096
"""Bytes in UTF-8."""

_LONGEST_NAME = 256
_LONGEST_SYSTEM = 512
_LONGEST_CODE = 128
_MOST_SUGGESTIONS = 100

# RFC 3339 section 5.6, and a little more: the "ISO timestamp in UTC" of CDS Hooks 1.1 may lack seconds and offset (F-6).
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)

# Where reasons were built in Epic, feedback names them by number in an extension.
_EPIC_CATEGORY = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card was overridden, as a Coding without its display.

    Args:
        code: as sent.
        system: None where the client left it out.
    """

    code: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A clinician's words: may name a patient (F-12).

    Args:
        text: at most `LONGEST_COMMENT` bytes.
        is_cut: whether it was longer.
    """

    text: str = field(repr=False)
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one card.

    Args:
        card: `Card.uuid`; a UUID in its usual form, anything else as sent.
        outcome: `accepted` or `overridden`.
        outcome_at: when, in UTC, always with six digits of a second, so that texts compare like times.
        suggestions: ids of the accepted suggestions.
        reason: the coded reason, if there was one.
        comment: the free text, if there was some.
    """

    card: str
    outcome: str
    outcome_at: str
    suggestions: tuple[str, ...] = ()
    reason: Reason | None = None
    comment: Comment | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One request.

    Args:
        items: what can be counted.
        refused: what is wrong with each of the others.
        remarks: which parts of counted items could not be read.
    """

    items: tuple[Item, ...]
    refused: tuple[str, ...]
    remarks: tuple[str, ...]


def read_feedback(body: Any) -> Batch:
    """Read the body of a feedback request.

    Args:
        body: the parsed JSON.

    Raises:
        FeedbackError: it is not an object with an array `feedback` (F-2).
        TooMuchFeedbackError: the array is too long.
    """
    sent = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(sent, list):
        raise FeedbackError("The request must be an object with an array feedback.")
    if len(sent) > MOST_ITEMS:
        raise TooMuchFeedbackError(f"feedback: more than {MOST_ITEMS} items, and none was kept. Send them in smaller batches.")
    items: list[Item] = []
    refused: list[str] = []
    remarks: list[str] = []
    for index, value in enumerate(sent):
        try:
            items.append(_read_item(value, f"feedback[{index}]", remarks))
        except FeedbackItemError as error:
            refused.append(error.text)
    return Batch(tuple(items), tuple(refused), tuple(remarks))


def _read_item(sent: Any, place: str, remarks: list[str]) -> Item:
    if not isinstance(sent, dict):
        raise FeedbackItemError(f"{place} must be an object.")
    card = _text(sent.get("card"), _LONGEST_NAME)
    if card is None:
        raise FeedbackItemError(f"{place}.card must be the uuid of a card: text of at most {_LONGEST_NAME} characters.")
    if sent.get("outcome") not in ("accepted", "overridden"):
        raise FeedbackItemError(f"{place}.outcome must be accepted or overridden.")
    outcome_at = _moment(sent.get("outcomeTimestamp"))
    if outcome_at is None:
        raise FeedbackItemError(
            f"{place}.outcomeTimestamp must be a date and time in UTC (RFC 3339), such as 2026-11-22T10:00:00Z."
        )
    why, where = _why(sent, place, remarks)
    return Item(
        card=_usual(card),
        outcome=sent["outcome"],
        outcome_at=outcome_at,
        suggestions=_suggestions(sent, place, remarks),
        reason=_reason(why, where, remarks),
        comment=_comment(why, where, remarks),
    )


def _text(value: Any, longest: int) -> str | None:
    """A short text that is not blank, without control characters, which not every database would take."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        return None
    return "".join(character if character.isprintable() else "\ufffd" for character in value)


def _usual(card: str) -> str:
    try:
        return str(UUID(card))
    except ValueError:
        return card


def _moment(value: Any) -> str | None:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        return None
    text = value.upper()
    if text[16:19] == ":60":  # a leap second, which Python cannot hold
        text = f"{text[:17]}59{text[19:]}"
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return in_utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _why(sent: Mapping[str, Any], place: str, remarks: list[str]) -> tuple[Mapping[str, Any], str]:
    """The override reason, and where it stands: Epic's name for it is plural (F-8); of both, the first that says something."""
    for name in ("overrideReason", "overrideReasons"):
        why = sent.get(name)
        if why is not None and not isinstance(why, dict):
            remarks.append(f"{place}.{name} must be an object; the item was kept without it.")
        elif why and any(member is not None for member in why.values()):
            return why, f"{place}.{name}"
    return {}, place


def _reason(why: Mapping[str, Any], place: str, remarks: list[str]) -> Reason | None:
    coding = why.get("reason")
    if coding is None:
        return _reason_of_epic(why)
    code = _text(coding.get("code"), _LONGEST_CODE) if isinstance(coding, dict) else None
    if code is None:
        remarks.append(f"{place}.reason must be a Coding with a code; the item was kept without it.")
        return None
    if coding.get("system") in (None, ""):
        return Reason(code)  # the CDS Hooks sandbox may leave it out (FB-02)
    system = _text(coding["system"], _LONGEST_SYSTEM)
    if system is None:  # whose code it is cannot be told, and it may mean something else than ours
        remarks.append(
            f"{place}.reason.system must be text of at most {_LONGEST_SYSTEM} characters; the item was kept without its reason."
        )
        return None
    return Reason(code, system)


def _reason_of_epic(why: Mapping[str, Any]) -> Reason | None:
    extension = why.get("extension")
    code = _text(extension.get(_EPIC_CATEGORY), _LONGEST_CODE) if isinstance(extension, dict) else None
    return Reason(code, _EPIC_CATEGORY) if code else None


def _comment(why: Mapping[str, Any], place: str, remarks: list[str]) -> Comment | None:
    words = why.get("userComment")
    if words is None:
        return None
    if not isinstance(words, str):
        remarks.append(f"{place}.userComment must be text; the item was kept without it.")
        return None
    bytes_of = words.replace("\0", " ").strip().encode()  # PostgreSQL keeps no NUL
    if len(bytes_of) > LONGEST_COMMENT:
        remarks.append(f"{place}.userComment is longer than {LONGEST_COMMENT} bytes and was cut.")
    text = bytes_of[:LONGEST_COMMENT].decode(errors="ignore")
    return Comment(text, is_cut=len(bytes_of) > LONGEST_COMMENT) if text else None


def _suggestions(sent: Mapping[str, Any], place: str, remarks: list[str]) -> tuple[str, ...]:
    accepted = sent.get("acceptedSuggestions")
    listed = accepted if isinstance(accepted, list) else []
    ids = [_text(one.get("id"), _LONGEST_NAME) if isinstance(one, dict) else None for one in listed[:_MOST_SUGGESTIONS]]
    if None in ids or len(listed) > _MOST_SUGGESTIONS or (accepted is not None and not isinstance(accepted, list)):
        remarks.append(f"{place}.acceptedSuggestions must be a short list of objects with an id; only such were kept.")
    elif sent["outcome"] == "accepted" and not ids:  # F-5
        remarks.append(f"{place}.acceptedSuggestions is missing; the item was kept as accepted.")
    return tuple(name for name in ids if name is not None)
