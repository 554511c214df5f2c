"""What a supposition would change: findings, statements that appear, go or change, and options."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cards.knowledge import Knowledge
from cards.recommendation import Option, Recommendation
from cards.wording import options_of, strength_words
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer
from fhir_profiles.sentences import join, say
from server.patient_page.facts import begin
from server.patient_page.findings import CERTAINTY_WORDS, SEVERITY_WORDS, would_be
from server.patient_page.statements import guideline_link
from server.patient_page.supposing import Considered


@dataclass(frozen=True, slots=True)
class ChangedStatement:
    """A statement that appears, goes or changes.

    Args:
        id: of the recommendation.
        says, strength, topic: as it is printed.
        source: who says so.
        link: where the guideline pages explain it.
        is_firm: it holds (or held); otherwise it waits for a datum.
        changes: what changes, in sentences; for one that appears, what it brings.
    """

    id: str
    says: str
    strength: str
    topic: str
    source: str
    link: str
    is_firm: bool
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that would change.

    Args:
        findings: phenotypes, severity and questions that would be answered otherwise, in sentences.
        appears, goes, changes: statements.
        options: treatment options that would come, go or be judged otherwise, in sentences.
        opposed: what the chart says against a supposition, in sentences; then nothing is said to stay the same.
    """

    findings: tuple[str, ...]
    appears: tuple[ChangedStatement, ...]
    goes: tuple[ChangedStatement, ...]
    changes: tuple[ChangedStatement, ...]
    options: tuple[str, ...]
    opposed: tuple[str, ...] = ()

    @property
    def is_advice_the_same(self) -> bool:
        """No statement and no option would be another, and that can be told."""
        return not (self.appears or self.goes or self.changes or self.options or self.opposed)


def difference(before: Considered, after: Considered, known: Knowledge) -> Difference:
    """Compare what was found with what would be found."""
    old, new = _by_key(before.recommendations), _by_key(after.recommendations)
    return Difference(
        findings=tuple(dict.fromkeys(_findings(before.assessment, after.assessment))),
        appears=tuple(_changed(r, _brings(r, known), known) for key, r in new.items() if key not in old),
        goes=tuple(_changed(r, (), known) for key, r in old.items() if key not in new),
        changes=tuple(
            _changed(r, lines, known) for key, r in new.items() if key in old and (lines := tuple(_lines(old[key], r, known)))
        ),
        options=tuple(_options(before.recommendations, after.recommendations)),
    )


def _by_key(recommendations: Iterable[Recommendation]) -> Mapping[tuple[str, str], Recommendation]:
    """By id and words: a drug-safety rule may speak about two drugs."""
    return {(r.id, str(r.says)): r for r in recommendations}


def _changed(r: Recommendation, changes: tuple[str, ...], known: Knowledge) -> ChangedStatement:
    return ChangedStatement(
        id=r.id,
        says=begin(r.says),
        strength=strength_words(r.strength),
        topic=known.topics[r.topic].display,
        source=r.sources[0].dated,
        link=guideline_link(r.id, known),
        is_firm=r.holds is Answer.YES,
        changes=changes,
    )


# --- what is found --------------------------------------------------------------------------------------------------------


def _findings(before: Assessment, after: Assessment) -> Iterable[str]:
    yield from _phenotypes(before, after)
    yield from _answers(before, after)


def _phenotypes(before: Assessment, after: Assessment) -> Iterable[str]:
    for phenotype in after.phenotypes:
        was, now = before.phenotype(phenotype.code), would_be(phenotype.certainty)
        if was is None:
            yield say("Phenotype: {phenotype} would hold ({certainty})", phenotype=phenotype.title, certainty=now)
        elif was.certainty is not phenotype.certainty:
            earlier, _ = CERTAINTY_WORDS[was.certainty]
            after_it, _ = CERTAINTY_WORDS[phenotype.certainty]
            words = say(
                "Phenotype: {phenotype}, {before}, would be {after}", phenotype=phenotype.title, before=earlier, after=after_it
            )
            yield words
    for phenotype in before.phenotypes:
        if after.phenotype(phenotype.code) is None:
            yield say("Phenotype: {phenotype} would no longer hold", phenotype=phenotype.title)
    if before.primary and after.primary and before.primary.code != after.primary.code:
        yield say("Leading phenotype: {phenotype}", phenotype=after.primary.title)


_ANSWERS = {Answer.YES: say("yes"), Answer.NO: say("no"), Answer.UNKNOWN: say("unknown")}


def _answers(before: Assessment, after: Assessment) -> Iterable[str]:
    if before.severity.value != after.severity.value:
        words = SEVERITY_WORDS
        yield say("Severity: {before}, would be {after}", before=words[before.severity.value], after=words[after.severity.value])
    for code, finding in after.features.items():
        was = before.features[code]
        if was.value is not finding.value:
            yield say("{question}: {answer}", question=begin(finding.title), answer=_ANSWERS[finding.value])


# --- what is advised ------------------------------------------------------------------------------------------------------


def _brings(r: Recommendation, known: Knowledge) -> tuple[str, ...]:
    """What a statement that appears asks for."""
    brought = []
    if r.orders:
        brought.append(say("Tests and referrals: {orders}", orders=_orders(r.orders, known)))
    if r.holds is Answer.UNKNOWN:
        brought.append(say("It would wait for: {missing}", missing=join("; ", [m.text for m in r.missing])))
    standing = [option.title for option in r.options if option.not_offered is None]
    if standing:
        brought.append(say("Options: {options}", options=join(", ", standing)))
    return tuple(brought)


def _lines(old: Recommendation, new: Recommendation, known: Knowledge) -> Iterable[str]:
    """What changes of a statement that stays."""
    if old.holds is not new.holds:
        yield say("It would hold") if new.holds is Answer.YES else say("It would wait for a datum")
    if old.strength != new.strength:
        yield say("Strength: {strength}", strength=strength_words(new.strength))
    if added := [order for order in new.orders if order not in old.orders]:
        yield say("Also to do: {orders}", orders=_orders(added, known))
    if removed := [order for order in old.orders if order not in new.orders]:
        yield say("No longer to do: {orders}", orders=_orders(removed, known))
    if added_drugs := [title for title in new.avoid if title not in old.avoid]:
        yield say("It would also be about: {drugs}", drugs=join(", ", added_drugs))
    yield from (say("Further note: {note}", note=note) for note in new.notes if note not in old.notes)
    yield from (
        say("Not to be ordered: {order}, {reason}", order=title, reason=reason)
        for title, reason in new.held_back
        if (title, reason) not in old.held_back
    )


def _orders(orders: Iterable[str], known: Knowledge) -> str:
    return join(", ", [known.orders[order]["title"] for order in orders])


def _options(before: Sequence[Recommendation], after: Sequence[Recommendation]) -> Iterable[str]:
    old = {option.treatment: option for option in options_of(_firm(before))}
    new = {option.treatment: option for option in options_of(_firm(after))}
    for treatment, option in new.items():
        yield from _option(old.get(treatment), option)
    for treatment, option in old.items():
        if treatment not in new and option.not_offered is None:
            yield say("{option}: would no longer be an option", option=begin(option.title))


def _firm(recommendations: Iterable[Recommendation]) -> list[Recommendation]:
    return [r for r in recommendations if r.holds is Answer.YES]


def _option(old: Option | None, new: Option) -> Iterable[str]:
    title = begin(new.title)
    if old is None:
        if new.not_offered is None:
            yield say("{option}: would be an option ({strength})", option=title, strength=strength_words(new.backing[0].strength))
        return
    if old.not_offered != new.not_offered:
        if new.not_offered is None:
            yield say("{option}: would be an option again", option=title)
        else:
            yield say("{option}: would be set aside: {reason}", option=title, reason=new.not_offered)
    elif new.not_offered is None and old.is_best_fit is not new.is_best_fit:
        if new.is_best_fit:
            yield say("{option}: would be among those that fit best", option=title)
        else:
            yield say("{option}: would fit less closely than others", option=title)
    yield from _cautions(old, new, title)
    if old.order_withheld and not new.order_withheld and new.not_offered is None:
        yield say("{option}: nothing more to check before an order", option=title)
    elif new.order_withheld and new.order_withheld != old.order_withheld:
        yield say("{option}: {withheld}", option=title, withheld=new.order_withheld)


def _cautions(old: Option, new: Option, title: str) -> Iterable[str]:
    before = {caution.id: caution for caution in (*old.cautions, *old.reminders)}
    after = {caution.id: caution for caution in (*new.cautions, *new.reminders)}
    for name, caution in after.items():
        if name not in before:
            yield say("{option}: {caution} ({source})", option=title, caution=caution.text, source=caution.source.dated)
    for name, caution in before.items():
        if name not in after:
            yield say("{option}: no longer raised: {caution}", option=title, caution=caution.text)
