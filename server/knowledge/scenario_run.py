"""Running a scenario: the real pipeline, then every expectation held against what came out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from cards.knowledge import Knowledge
from cards.recommendation import Recommendation
from cards.to_cards import EXPLANATION
from cards.wording import options_of
from fhir_profiles.findings import Answer
from server.basis import Basis, packaged_basis
from server.evaluation import Drafts, Evaluation, evaluate
from server.knowledge.scenarios import Scenario, ScenarioError

Card = Mapping[str, Any]


def run(scenario: Scenario, basis: Basis | None = None) -> tuple[str, ...]:
    """Run one scenario.

    Args:
        scenario: the patient and what is expected.
        basis: terminology and knowledge; the packaged ones by default.

    Returns:
        What came out otherwise than expected, in sentences; nothing where all is well.

    Raises:
        ScenarioError: an expectation names a statement, order, treatment or topic that does not exist.
    """
    basis = basis or packaged_basis()
    known = basis.knowledge
    _check_names(scenario, known)
    outcome = Outcome(evaluated(scenario, basis), known, _drafts(scenario))
    return tuple(complaint for key, wanted in scenario.expected.items() for complaint in _EXPECTATIONS[key](outcome, wanted))


def _drafts(scenario: Scenario) -> dict[str, str]:
    """The order being written that each reference stands for, as the scenario calls it."""
    orders = scenario.chart.draft_orders() or {"entry": []}
    resources = (entry["resource"] for entry in orders["entry"])
    named = (draft if isinstance(draft, str) else draft["what"] for draft in scenario.patient.get("drafts") or ())
    return {f"{one['resourceType']}/{one['id']}": name.replace("-", "_") for one, name in zip(resources, named, strict=True)}


def evaluated(scenario: Scenario, basis: Basis) -> Evaluation:
    """What the pipeline makes of the scenario's patient."""
    chart = scenario.chart
    orders = chart.draft_orders()
    return evaluate(
        [chart.bundle()],
        as_of=chart.as_of,
        seed="scenario",
        patient_id="1",
        inputs=chart.inputs(),
        drafts=None if orders is None else Drafts(orders),
        basis=basis,
    )


@dataclass(frozen=True)
class Outcome:
    """What came out, as expectations ask for it."""

    evaluation: Evaluation
    known: Knowledge
    drafts: Mapping[str, str]

    @cached_property
    def said(self) -> dict[str, Recommendation]:
        """Statements by id, a certain one before one that waits."""
        by_certainty = sorted(self.evaluation.recommendations, key=lambda r: r.holds is Answer.YES)
        return {r.id: r for r in by_certainty}

    @cached_property
    def topics(self) -> dict[str, str]:
        """The indicator of each card, by topic."""
        return {card["source"]["topic"]["code"]: card["indicator"] for card in self.evaluation.cards}

    @cached_property
    def orders(self) -> frozenset[str]:
        """Keys in `orders.yaml` of everything that a card offers to order."""
        keys = {entry["title"]: key for key, entry in self.known.orders.items()}
        resources = (action["resource"] for action in self._actions("create"))
        return frozenset(keys[(r.get("code") or r["medicationCodeableConcept"])["text"]] for r in resources)

    @cached_property
    def removed(self) -> frozenset[str]:
        """The drafts that a card offers to remove, as the scenario calls them."""
        return frozenset(self.drafts[action["resourceId"]] for action in self._actions("delete"))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """The sentences that a card offers to add to a draft."""
        return tuple(_one_line(action["resource"]["note"][-1]["text"]) for action in self._actions("update"))

    @cached_property
    def cited(self) -> frozenset[str]:
        """The sources that a card's explanation cites, by id."""
        explanations = (card["extension"][EXPLANATION] for card in self.evaluation.cards)
        return frozenset(source["id"] for explanation in explanations for source in explanation.get("sources", ()))

    @cached_property
    def options(self) -> dict[str, str | None]:
        """Treatments that a statement names, with the reason where one is set aside."""
        return {option.treatment: option.not_offered for option in options_of(self.evaluation.recommendations)}

    @cached_property
    def words(self) -> str:
        """Every summary and detail, in one line."""
        return _one_line("\n".join(f"{card['summary']}\n{card['detail']}" for card in self.evaluation.cards))

    def _actions(self, kind: str) -> Iterator[Mapping[str, Any]]:
        for card in self.evaluation.cards:
            for suggestion in card.get("suggestions", ()):
                yield from (action for action in suggestion["actions"] if action["type"] == kind)


# --- the expectations -------------------------------------------------------------------------------------------------------


def _holds(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected {name} to hold; {_state(outcome, name)}" for name in wanted if not _is(outcome, name, Answer.YES))


def _unknown(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for name in wanted:
        if not _is(outcome, name, Answer.UNKNOWN):
            yield f"expected {name} to wait for a datum; {_state(outcome, name)}"


def _not(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected {name} not to hold; {_state(outcome, name)}" for name in wanted if name in outcome.said)


def _topics(outcome: Outcome, wanted: Mapping[str, str] | list[str]) -> Iterator[str]:
    indicators: Mapping[str, str | None] = wanted if isinstance(wanted, dict) else dict.fromkeys(wanted)
    for topic, indicator in indicators.items():
        found = outcome.topics.get(topic)
        if found is None:
            yield f"expected a card on {topic}; cards are on {_listed(outcome.topics)}"
        elif indicator not in (None, found):
            yield f"expected the card on {topic} to be {indicator}; it is {found}"


def _no_topics(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected no card on {topic}; there is one" for topic in wanted if topic in outcome.topics)


def _orders(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for order in wanted:
        if order not in outcome.orders:
            yield f"expected {order} to be offered as an order; offered are {_listed(outcome.orders)}"


def _no_orders(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected {order} not to be offered as an order; it is" for order in wanted if order in outcome.orders)


def _options(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    standing = [treatment for treatment, reason in outcome.options.items() if reason is None]
    for treatment in wanted:
        if treatment not in standing:
            reason = outcome.options.get(treatment)
            yield f"expected {treatment} to stand as an option; " + (
                f"it is set aside: {reason}" if reason else f"standing are {_listed(standing)}"
            )


def _no_options(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for treatment in wanted:
        if outcome.options.get(treatment, "not named") is None:
            yield f"expected {treatment} not to stand as an option; it does"


def _says(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected a card to say “{text}”; none does" for text in wanted if _one_line(text) not in outcome.words)


def _never_says(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    yield from (f"expected no card to say “{text}”; one does" for text in wanted if _one_line(text) in outcome.words)


def _removes(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for draft in wanted:
        if draft.replace("-", "_") not in outcome.removed:
            yield f"expected the removal of the draft of {draft} to be offered; offered are {_listed(outcome.removed)}"


def _notes(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for text in wanted:
        if not any(_one_line(text) in note for note in outcome.notes):
            yield f"expected the note “{text}” to be offered for a draft; offered are {_listed(outcome.notes)}"


def _cites(outcome: Outcome, wanted: Iterable[str]) -> Iterator[str]:
    for source in wanted:
        if source not in outcome.cited:
            yield f"expected {source} to be cited; cited are {_listed(outcome.cited)}"


def _cards(outcome: Outcome, wanted: int) -> Iterator[str]:
    found = len(outcome.evaluation.cards)
    if found != wanted:
        yield f"expected {wanted} cards; there are {found}: {_listed(outcome.topics)}"


_EXPECTATIONS: Mapping[str, Callable[[Outcome, Any], Iterator[str]]] = {
    "holds": _holds,
    "unknown": _unknown,
    "not": _not,
    "topics": _topics,
    "no_topics": _no_topics,
    "orders": _orders,
    "no_orders": _no_orders,
    "options": _options,
    "no_options": _no_options,
    "says": _says,
    "never_says": _never_says,
    "removes": _removes,
    "notes": _notes,
    "cites": _cites,
    "cards": _cards,
}


def _is(outcome: Outcome, name: str, answer: Answer) -> bool:
    return name in outcome.said and outcome.said[name].holds is answer


def _state(outcome: Outcome, name: str) -> str:
    found = outcome.said.get(name)
    if found is None:
        return "it does not apply, or has nothing left to do"
    if found.holds is Answer.YES:
        return "it holds"
    return f"it is unknown; missing: {'; '.join(item.text for item in found.missing) or 'nothing is named'}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _check_names(scenario: Scenario, known: Knowledge) -> None:
    statements = {rule.id for rule in (*known.rules, *known.safety, *known.off)}
    kinds: tuple[tuple[str, Iterable[str], tuple[str, ...]], ...] = (
        ("statement or safety rule", statements, ("holds", "unknown", "not")),
        ("card topic", known.topics, ("topics", "no_topics")),
        ("order of orders.yaml", known.orders, ("orders", "no_orders")),
        ("source of sources.yaml", known.sources, ("cites",)),
        ("treatment of treatments.yaml", known.treatments, ("options", "no_options")),
    )
    for kind, names, keys in kinds:
        for name in (name for key in keys for name in scenario.expected.get(key, ()) if name not in set(names)):
            near = get_close_matches(name, list(names), 3)
            remedy = f"did you mean {' or '.join(near)}?" if near else "`myositis-cds knowledge list` names them"
            raise ScenarioError(f"{scenario.file.name}: {scenario.name}: expects `{name}`, which is no {kind}; {remedy}")
