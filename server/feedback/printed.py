"""The figures as JSON and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from server.feedback.cells import WITHHELD, as_cell
from server.feedback.figures import OUTCOMES, Figures, Rate
from server.feedback.text_table import text_table

UNKNOWN = "unknown cards"

_COLUMNS = (
    "recommendation", "knowledgeVersion", "topic", "indicator", "service", "patients", "shown", "cardsComplete", *OUTCOMES,
    "acceptanceRate", "acceptanceLow", "acceptanceHigh", "overrideRate", "overrideLow", "overrideHigh", "reasons", "needsReview",
)  # fmt: skip


def as_json(figures: Sequence[Figures], unknown: Mapping[str, Mapping[str, int | None]], asked: Mapping[str, Any]) -> Any:
    """The report as JSON; a number that is withheld is null.

    Args:
        figures: in the order wanted.
        unknown: cards that we do not know, by service and outcome.
        asked: what was asked for.
    """
    return {
        **asked,
        "recommendations": [_as_object(row) for row in figures],
        "unknownCards": [{"service": service, **counts} for service, counts in unknown.items()],
    }


def as_csv(figures: Sequence[Figures], unknown: Mapping[str, Mapping[str, int | None]]) -> str:
    """The report as CSV (RFC 4180), one row for each piece of advice, then one for each service with cards that we do not know.

    Args:
        figures: in the order wanted.
        unknown: cards that we do not know, by service and outcome.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="")
    writer.writeheader()
    for row in figures:
        writer.writerow({name: as_cell(value) for name, value in _as_cells(row).items()})
    for service, counts in unknown.items():
        writer.writerow({"recommendation": UNKNOWN, "service": service, **{name: as_cell(n) for name, n in counts.items()}})
    return text.getvalue()


def as_text(figures: Sequence[Figures], unknown: Mapping[str, Mapping[str, int | None]]) -> str:
    """The report for people: what needs review first, then as it stands in the other forms.

    Args:
        figures: in the order wanted.
        unknown: cards that we do not know, by service and outcome.
    """
    head = ("recommendation", "topic", "indicator", "service", "patients", "shown", *OUTCOMES, "override rate", "")
    rows = [_as_line(row) for row in sorted(figures, key=lambda row: not row.needs_review)]
    if not rows:
        return "No card was shown in this time."
    unknown_rows = [(service, *counts.values()) for service, counts in unknown.items()]
    apart = ["Feedback on unknown cards\n" + text_table(("service", "accepted", "overridden"), unknown_rows)]
    return "\n\n".join([text_table(head, rows), *(apart if unknown_rows else []), f"{WITHHELD}: about too few patients"])


def _as_line(row: Figures) -> tuple[Any, ...]:
    one, rate = row.advice, row.override
    said = (one.recommendation, one.topic, one.indicator, one.service, row.patients, row.shown, *row.cards.values())
    return (*said, rate and f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})", "needs review" if row.needs_review else "")


def _as_object(row: Figures) -> dict[str, Any]:
    return {
        "recommendation": row.advice.recommendation,
        "knowledgeVersion": row.advice.knowledge_version,
        "topic": row.advice.topic,
        "indicator": row.advice.indicator,
        "service": row.advice.service,
        "patients": row.patients,
        "shown": row.shown,
        "cardsComplete": row.is_whole,
        **row.cards,
        "acceptanceRate": row.acceptance and asdict(row.acceptance),
        "overrideRate": row.override and asdict(row.override),
        "reasons": dict(row.reasons),
        "reasonsComplete": row.is_complete,
        "needsReview": row.needs_review,
    }


def _as_cells(row: Figures) -> dict[str, Any]:
    reasons = [f"{code}={count}" for code, count in row.reasons.items()] + ([] if row.is_complete else [WITHHELD])
    simple = {name: value for name, value in _as_object(row).items() if name in _COLUMNS}
    rates = {**_rate_cells("acceptance", row.acceptance), **_rate_cells("override", row.override)}
    return simple | rates | {"reasons": "; ".join(reasons)}


def _rate_cells(name: str, rate: Rate | None) -> dict[str, float | None]:
    value, low, high = (rate.value, rate.low, rate.high) if rate else (None, None, None)
    return {f"{name}Rate": value, f"{name}Low": low, f"{name}High": high}
