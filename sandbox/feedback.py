"""What became of a card, told to the service that gave it (CDS Hooks 2.0.1, "Feedback"; conformance section 6)."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sandbox.dialects import Dialect
from sandbox.errors import ServiceError
from sandbox.exchange import send_json
from sandbox.fhir_parts import Json

PAUSES = (0.2, 0.8)
"""Seconds before feedback that could not be delivered is sent again, a second and a third time."""


def accepted(card: str, suggestions: Sequence[str], at: datetime) -> Json:
    """Feedback: suggestions were taken (F-5).

    Args:
        card: its uuid.
        suggestions: their uuids.
        at: when.
    """
    named = [{"id": name} for name in suggestions]
    return {"card": card, "outcome": "accepted", "acceptedSuggestions": named, "outcomeTimestamp": _timestamp(at)}


def overridden(card: str, reason: Json | None, comment: str, at: datetime, dialect: Dialect) -> Json:
    """Feedback: the card was dismissed (F-7, F-8).

    Args:
        card: its uuid.
        reason: Coding, one of the card's; None where none was chosen.
        comment: the clinician's words; may be empty.
        at: when.
        dialect: how the reason is called, and whether its display goes along.
    """
    why: Json = {}
    if reason is not None:
        members = ("code", "system", "display") if dialect.reason_display else ("code", "system")
        why["reason"] = {name: reason[name] for name in members if name in reason}
    if comment:
        why["userComment"] = comment
    item: Json = {"card": card, "outcome": "overridden"} | ({dialect.feedback: why} if why else {})
    return item | {"outcomeTimestamp": _timestamp(at)}


def deliver(url: str, item: Json, token: Callable[[], str], *, wait: Callable[[float], None] = time.sleep) -> str:
    """Send feedback, again where that may help.

    Args:
        url: of the feedback endpoint.
        item: from `accepted` or `overridden`.
        token: makes a new JWT for each attempt, since none may be used twice.
        wait: for some seconds.

    Returns:
        `sent`, or why it could not be delivered, in a sentence.
    """
    trouble = ""
    for pause in (0.0, *PAUSES):
        if pause:
            wait(pause)
        try:
            send_json(url, token(), {"feedback": [item]})
        except ServiceError as error:
            trouble = str(error)
            if not error.may_pass:
                break
        else:
            return "sent"
    return f"The feedback could not be delivered. {trouble}"


def _timestamp(at: datetime) -> str:
    """RFC 3339 in UTC (F-6)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
