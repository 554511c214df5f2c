"""The reasons for not following a card that each card offers (CDS Hooks `overrideReasons`)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LONGEST_QUIET = 90
"""Most days that advice may be quiet after an override, whatever a reason or a client is set to."""


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


def quiet_days(system: str | None, code: str | None, topic: str) -> int:
    """How long an override with this reason may silence advice of this topic; 0 unless cards offer the reason.

    Args:
        system, code: of the reason; the system is not compared where it is not known.
        topic: code of the card's topic.
    """
    lengths = [one.quiet_days for one in reasons() if one.code == code and system in (None, one.system)]
    return min(*lengths, _document()["quietDaysOfTopic"].get(topic, LONGEST_QUIET)) if lengths else 0


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
