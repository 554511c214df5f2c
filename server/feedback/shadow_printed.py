"""The report on shadow mode as JSON, as CSV and as text."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from server.feedback.cells import WITHHELD, as_cell
from server.feedback.figures import Figures
from server.feedback.shadow_figures import BINS, REASONS, CallFigures
from server.feedback.text_table import text_table

_ADVICE = ("recommendation", "knowledgeVersion", "topic", "indicator", "service", "patients", "cards", "cardsComplete")
_COLUMNS = ("row", *_ADVICE, "calls", *(f"calls with {name} cards" for name in BINS), "cardsPerCall", *REASONS)


def shadow_as_json(calls: Sequence[CallFigures], advice: Sequence[Figures], asked: Mapping[str, Any]) -> Any:
    """The report as JSON; a number that is withheld is null.

    Args:
        calls: by service.
        advice: in the order wanted.
        asked: what was asked for.
    """
    services = [
        {
            "service": one.service,
            "patients": one.patients,
            "calls": one.calls,
            "callsByCards": dict(one.by_cards),
            "cardsPerCall": one.cards_per_call,
            "callsWithCardsLeftOut": {str(reason): count for reason, count in one.left_out.items()},
        }
        for one in calls
    ]
    return {**asked, "services": services, "recommendations": [_as_object(row) for row in advice]}


def shadow_as_csv(calls: Sequence[CallFigures], advice: Sequence[Figures]) -> str:
    """The report as CSV (RFC 4180): a row for each service, then one for each piece of advice.

    Args:
        calls: by service.
        advice: in the order wanted.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="")
    writer.writeheader()
    for one in calls:
        numbers = {f"calls with {name} cards": count for name, count in one.by_cards.items()} | dict(one.left_out)
        row: dict[str, Any] = {"row": "service", "service": one.service, "patients": one.patients, "calls": one.calls}
        row |= {"cardsPerCall": one.cards_per_call} | numbers
        writer.writerow({name: as_cell(value) for name, value in row.items()})
    for said in advice:
        writer.writerow({name: as_cell(value) for name, value in ({"row": "recommendation"} | _as_object(said)).items()})
    return text.getvalue()


def shadow_as_text(calls: Sequence[CallFigures], advice: Sequence[Figures]) -> str:
    """The report for people.

    Args:
        calls: by service.
        advice: in the order wanted.
    """
    if not calls:
        return "No call of a client in shadow mode in this time."
    head = ("service", "patients", "calls", *(f"{name} cards" for name in BINS), "cards/call")
    rows = [(one.service, one.patients, one.calls, *one.by_cards.values(), one.cards_per_call) for one in calls]
    left_out = [(one.service, *one.left_out.values()) for one in calls]
    objects = [_as_object(row) for row in advice]
    return "\n\n".join(
        [
            "Calls in shadow mode, by how many cards would have been shown\n" + text_table(head, rows),
            "Calls in which cards would have been left out, by reason\n" + text_table(("service", *REASONS), left_out),
            "Advice that would have been shown\n" + text_table(_ADVICE, [tuple(one.values()) for one in objects]),
            f"{WITHHELD}: about too few patients",
        ]
    )


def _as_object(row: Figures) -> dict[str, Any]:
    advice = row.advice
    values = (advice.recommendation, advice.knowledge_version, advice.topic, advice.indicator, advice.service)
    return dict(zip(_ADVICE, (*values, row.patients, row.shown, row.is_whole), strict=True))
