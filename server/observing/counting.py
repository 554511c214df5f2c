"""How the rest of the service has its doings counted: one call each, of words from closed sets."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from threading import Lock

from prometheus_client import Counter as Figure
from prometheus_client import Histogram

from cards.outcomes import outcomes_of
from cards.said import said_on
from cards.show import Show
from server.cds_hooks.services import SERVICES
from server.evaluation import Evaluation, silenced_of
from server.observing import figures

MYOSITIS = "myositis"
OTHER = "other"
SILENCED = "silenced"

_STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_known: set[str] = set()
_rules: Counter[tuple[str, str]] = Counter()
_lock = Lock()


def know_recommendations(ids: Iterable[str]) -> None:
    """Which recommendations may be labels; whatever else is asked about counts as `other`.

    Args:
        ids: of the knowledge that this service speaks from.
    """
    _known.update(ids)
    # From 0 on: Prometheus takes the first value of a series for no growth, and what is rare would never be seen.
    for service in SERVICES:
        for about in (MYOSITIS, OTHER):
            _child(figures.EVALUATIONS, service, about)


def count_request(endpoint: str, status: int, client: str, service: str | None, phases: Mapping[str, float]) -> None:
    """One request was answered.

    Args:
        endpoint: Flask's name for it, or `none`.
        status: of the answer.
        client: name of the registered client, or `none`.
        service: id of the CDS service, for calls of one.
        phases: seconds by part, `total` among them.
    """
    _child(figures.REQUESTS, endpoint, _STATUSES[status // 100 - 1], client).inc()
    if service in SERVICES:
        for phase, seconds in phases.items():
            _clock(service, phase if phase in figures.PHASES else OTHER).observe(seconds)


def count_evaluation(service: str, evaluation: Evaluation, show: Show, *, is_shadow: bool = False) -> None:
    """One patient was evaluated. Rules are counted for patients with myositis only: of the others they say nothing.

    Args:
        service: id of the CDS service.
        evaluation: what was found out.
        show: what was left out.
        is_shadow: nobody was shown its cards, so that they are not counted.
    """
    about = MYOSITIS if evaluation.recommendations else OTHER
    _child(figures.EVALUATIONS, service, about).inc()
    if not evaluation.recommendations:
        return
    with _lock:
        _rules.update(outcomes_of(evaluation.recommendations, evaluation.triggers).items())
    _child(figures.WITHHELD, SILENCED).inc(len(silenced_of(evaluation, show)))
    if is_shadow:
        return
    for card in evaluation.cards:
        _child(figures.CARDS, service, card["source"]["topic"]["code"], card["indicator"]).inc()
    for recommendation in said_on(evaluation.cards):
        _child(figures.RECOMMENDATION_CARDS, recommendation).inc()


def pass_on() -> None:
    """Bring the outcomes of rules to the figures: they are so many that to do so for each call would take half a millisecond.

    Call it every few seconds; what a process that is killed had not passed on is lost.
    """
    with _lock:
        rules = dict(_rules)
        _rules.clear()
    for (rule, outcome), times in rules.items():
        _child(figures.RULE_OUTCOMES, rule, outcome).inc(times)


def count_feedback(outcome: str, recommendations: Iterable[str]) -> None:
    """What became of one card.

    Args:
        outcome: `accepted` or `overridden`.
        recommendations: names of what it said, as `cards_shown` has them.
    """
    for name in recommendations:
        known = name.removesuffix("?")
        figures.FEEDBACK.labels(known if known in _known else OTHER, outcome).inc()


def count_fetches(client: str, ended: Iterable[tuple[str, str | None]]) -> None:
    """How queries to an EHR ended.

    Args:
        client: name of the registered client.
        ended: key of the prefetch template, and the word for what went wrong.
    """
    for (key, reason), times in Counter(ended).items():
        figures.FETCHES.labels(client, key, reason or figures.ANSWERED).inc(times)


def count_refusal(reason: str, client: str) -> None:
    """A caller was not let in.

    Args:
        reason: one of `server.trust.reasons`.
        client: name of the registered client, or `unknown`.
    """
    figures.REFUSED.labels(reason, client).inc()


@cache  # of closed sets, so that it has an end
def _child(figure: Figure, *labels: str) -> Figure:
    """One series; to look it up in the figure takes longer than to count."""
    return figure.labels(*labels)


@cache
def _clock(service: str, phase: str) -> Histogram:
    """The same for the time of one phase."""
    return figures.PHASE_SECONDS.labels(service, phase)
