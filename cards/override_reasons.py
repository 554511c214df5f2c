"""The reasons for not following a card that each card offers (CDS Hooks `overrideReasons`)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LONGEST_QUIET = 90
"""Most days that advice may be quiet after an override, whatever a reason or a client is set to."""

LONGEST_QUIET_AFTER_WARNING = 7
"""The same where the card was a warning: it says several things, and a reason that was meant for one quiets all of them."""

_LONGEST_BY_INDICATOR = {"info": LONGEST_QUIET, "warning": LONGEST_QUIET_AFTER_WARNING, "critical": 0}


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """One reason.

    Args:
        system, code, display: its Coding.
        quiet_days: at most so many days the same advice stays quiet for the patient.
    """

    system: str
    code: str
    display: str
    quiet_days: int


def override_reasons() -> list[dict[str, str]]:
    """The reasons as each card offers them: Codings with system, code and display (conformance C-13)."""
    return [{"system": one.system, "code": one.code, "display": one.display} for one in reasons()]


def quiet_days(system: str | None, code: str | None, topic: str, indicator: str) -> int:
    """How long an override with this reason may silence what a card said; 0 unless cards offer the reason, or if it was critical.

    Args:
        system, code: of the reason; the system is not compared where it is not known.
        topic: code of the card's topic.
        indicator: of the card.
    """
    lengths = [one.quiet_days for one in reasons() if one.code == code and system in (None, one.system)]
    longest = (_document()["quietDaysOfTopic"].get(topic, LONGEST_QUIET), _LONGEST_BY_INDICATOR[indicator])
    return min(*lengths, *longest) if lengths else 0


@cache
def reasons() -> tuple[OverrideReason, ...]:
    """Every reason, in the order in which cards offer them."""
    document = _document()
    return tuple(
        OverrideReason(document["system"], code, reason["display"], min(reason["quietDays"], LONGEST_QUIET))
        for code, reason in document["reasons"].items()
    )


@cache
def _document() -> Any:
    return yaml.safe_load((Path(__file__).parent / "override_reasons.yaml").read_text("utf-8"))
