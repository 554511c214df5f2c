"""Which topics get a card in an answer, in which order, and why the others do not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cards.knowledge import Knowledge
from cards.recommendation import Recommendation, firm
from cards.show import INDICATORS, Show

_THERAPY = "nextLineTherapy"
_INDICATORS = {"urgent": "critical", "soon": "warning", "routine": "info"}


class LeftOut(StrEnum):
    """Why a card is not in an answer.

    `OFF`: its topic is. `BELOW`: its indicator weighs too little for this reader. `SNOOZED`: a clinician asked for quiet.
    `REPEATED`: said before in this visit. `WAITS`: it would stand in the way of a critical card. `OVER_CAP`: the answer is full.
    Advice against a treatment (`must_be_said`) is left out for none of these reasons; it stands on a card without the rest.
    """

    OFF = "off"
    BELOW = "below"
    SNOOZED = "snoozed"
    REPEATED = "repeated"
    WAITS = "waits"
    OVER_CAP = "overCap"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What becomes of the topics that have something to say.

    Args:
        cards: topic code of each card and what it says, the most important first.
        left_out: why there is no card, by topic code.
        held_back: topics that can wait while the first card is critical, whatever was said or silenced of them before.
    """

    cards: tuple[tuple[str, tuple[Recommendation, ...]], ...]
    left_out: tuple[tuple[str, LeftOut], ...]
    held_back: tuple[str, ...] = ()


_Topics = list[tuple[str, list[Recommendation]]]


def choose(recommendations: Sequence[Recommendation], show: Show, known: Knowledge) -> Chosen:
    """Choose the cards of one answer.

    Args:
        recommendations: from `recommend`.
        show: what to leave out.
        known: the knowledge.
    """
    topics = _by_topic(recommendations, known)
    is_emergency = any(indicator_of(said) == "critical" for _, said in topics)
    left_out: dict[str, LeftOut] = {}
    wanted: _Topics = []
    for topic, said in topics:
        reason = _reason_to_leave_out(topic, said, show, is_emergency)
        if reason is None:
            wanted.append((topic, said))
        elif against := [r for r in said if must_be_said(r)]:
            wanted.append((topic, against))
        else:
            left_out[topic] = reason
    wanted.sort(key=lambda item: _importance(item[0], item[1], known))
    is_alarm = bool(wanted) and indicator_of(wanted[0][1]) == "critical"
    waits = {topic for topic, said in topics if is_alarm and _can_wait(topic, said, known)}
    left_out |= {topic: LeftOut.WAITS for topic, _ in wanted if topic in waits}
    ready = _with_one_alarm([(topic, said) for topic, said in wanted if topic not in left_out])
    left_out |= dict.fromkeys((topic for topic, _ in ready[show.cap :]), LeftOut.OVER_CAP)
    cards = _with_what_must_be_said(ready[: show.cap], ready[show.cap :])
    never = (LeftOut.OFF, LeftOut.BELOW)
    held_back = tuple(topic for topic, _ in topics if topic in waits and left_out[topic] not in never)
    return Chosen(tuple((topic, tuple(said)) for topic, said in cards), tuple(left_out.items()), held_back)


def indicator_of(said: Sequence[Recommendation]) -> str:
    """By the most urgent statement that holds, or speaks against drugs of which nobody has seen whether one is being taken; a
    card that only asks never alarms.

    Args:
        said: what the card says.
    """
    urgencies = {r.urgency for r in _spoken(said)} or {"routine"}
    return next(indicator for urgency, indicator in _INDICATORS.items() if urgency in urgencies)


def _spoken(said: Sequence[Recommendation]) -> list[Recommendation]:
    """Without what only waits for data."""
    return [*firm(said), *(r for r in said if r.warns_unread)]


def must_be_said(one: Recommendation) -> bool:
    """It speaks against a treatment that is, or for all that could be read may be, given or written: no setting leaves it out.

    What the chart raises against a drug among the options of therapy is said there, beside the others.

    Args:
        one: what would be said.
    """
    return one.is_against and not one.options and bool(_spoken([one]))


def _by_topic(recommendations: Sequence[Recommendation], known: Knowledge) -> _Topics:
    by_topic: dict[str, list[Recommendation]] = {}
    for recommendation in recommendations:
        by_topic.setdefault(recommendation.topic, []).append(recommendation)
    shown = []
    for topic, said in by_topic.items():
        asks = known.topics[topic].asks_alone and any(r.is_worth_a_card for r in said)
        if asks or firm(said) or any(r.warns_unread for r in said):
            shown.append((topic, said))
    return sorted(shown, key=lambda item: _importance(item[0], item[1], known))


def _importance(topic: str, said: list[Recommendation], known: Knowledge) -> tuple[int, bool, int]:
    """By urgency; then advice against what is given or being written, before what else there is to say of it; then by topic."""
    return INDICATORS.index(indicator_of(said)), not any(r.avoid or r.warns_unread for r in said), known.topics[topic].rank


def _can_wait(topic: str, said: list[Recommendation], known: Knowledge) -> bool:
    return known.topics[topic].can_wait and indicator_of(said) == "info" and not any(map(must_be_said, said))


def _reason_to_leave_out(topic: str, said: list[Recommendation], show: Show, is_emergency: bool) -> LeftOut | None:
    """In an emergency the treatment is shown, whatever was said about it before; what is critical itself is never silenced."""
    if topic in show.topics_off:
        return LeftOut.OFF
    indicator = indicator_of(said)
    if not show.shows(indicator):
        return LeftOut.BELOW
    if indicator == "critical" or (is_emergency and topic == _THERAPY):
        return None
    awake = [r for r in _spoken(said) or said if not show.is_quiet_about(r)]
    if not awake:
        return LeftOut.SNOOZED
    return LeftOut.REPEATED if all(show.has_told(r) for r in awake) else None


def _with_one_alarm(topics: _Topics) -> _Topics:
    """Everything critical on one card (decision 21): an EHR may interrupt for the first such card only, so all of it is there."""
    critical = [said for _, said in topics if indicator_of(said) == "critical"]
    if len(critical) < 2:
        return topics
    return [(topics[0][0], [r for said in critical for r in said]), *topics[len(critical) :]]


def _with_what_must_be_said(kept: _Topics, cut: _Topics) -> _Topics:
    """The cap takes no warning away that speaks against a drug: it moves to the last card that there is room for."""
    against = [r for _, said in cut for r in said if must_be_said(r)]
    return [*kept[:-1], (kept[-1][0], [*kept[-1][1], *against])] if against else kept
