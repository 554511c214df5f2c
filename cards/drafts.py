"""What drug safety says about the orders being written (clinical/drug-safety.md), and what may be done about them.

A draft is answered with the co-prescription, with the alternative that the reference names, and, where a stop rule speaks, with
its removal (decision 8). One rule speaks once, whatever the number of drafts that it is about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from cards.check_order import check_order
from cards.draft_conditions import is_draft_of
from cards.instead import notes_on_instead, stands
from cards.knowledge import Knowledge
from cards.markdown import before_colon, listed
from cards.recommendation import URGENCIES, Caution, DraftAnswer, Level, Recommendation, Unchecked
from cards.safety import cautions_for, unchecked_for
from cards.verdicts import Case
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer, Evidence, Standing
from fhir_profiles.phenotypes import Certainty
from fhir_profiles.record import DraftOrder, InputState
from fhir_profiles.sentences import join, say

MOST_ALTERNATIVES = 3

_URGENCY = {Level.STOP: "urgent", Level.HOLD: "soon", Level.WARN: "soon", Level.REMIND: "routine"}
_STRENGTH = {Level.STOP: "contraindicated", Level.HOLD: "warning", Level.WARN: "warning", Level.REMIND: "reminder"}


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One rule about one draft."""

    caution: Caution
    treatment: str
    draft: DraftOrder


def has_myositis(assessment: Assessment) -> bool:
    """A myositis is on the problem list, however sure; one that is only computed speaks about no drug."""
    return any(phenotype.certainty is not Certainty.COMPUTED for phenotype in assessment.phenotypes)


def treatments_of(draft: DraftOrder, case: Case, known: Knowledge) -> list[str]:
    """The treatments that a draft is of; for a test, the orders that it stands for, the test itself first."""
    definitions = case.assessment.definitions
    found = [key for key, entry in known.treatments.items() if is_draft_of(draft, entry, definitions)]
    tests = [key for key in known.orders if _is_draft_of_test(draft, key, case, known)]
    return found + sorted(tests, key=lambda key: known.orders[key].get("concept") not in draft.concepts)


def _is_draft_of_test(draft: DraftOrder, order: str, case: Case, known: Knowledge) -> bool:
    investigation = known.orders[order].get("investigation")
    if investigation is None:
        return False
    shown_by = case.assessment.definitions.investigations[investigation].shown_by
    return any(len(concepts) == 1 and concepts[0] in draft.concepts for concepts in shown_by)


def cautions_about(drafts: Sequence[DraftOrder], case: Case, known: Knowledge, unadvised: Set[str]) -> list[Recommendation]:
    """What the safety rules say about the selected drafts.

    Args:
        drafts: the drafts to speak about.
        case: the patient, with every draft of the call.
        known: the knowledge.
        unadvised: references of drafts that a guideline advises against; nothing is offered to go with them.

    Returns:
        The most urgent first; of equally urgent ones, pregnancy first and missing baseline tests last (`check_order`).
    """
    spoken: dict[str, list[_Spoken]] = {}
    for draft in drafts:
        for one in _spoken_about(draft, case, known, draft.reference in unadvised):
            spoken.setdefault(one.caution.id, []).append(one)
    said = [_said(together, case, known) for together in spoken.values()]
    said += [one for draft in drafts for one in _unchecked(draft, spoken, case, known)]
    places = {rule.id: check_order(rule) for rule in known.safety}
    return sorted(said, key=lambda r: (URGENCIES.index(r.urgency), places[r.id]))


def _spoken_about(draft: DraftOrder, case: Case, known: Knowledge, is_unadvised: bool) -> list[_Spoken]:
    myositis = has_myositis(case.assessment)
    is_open = not myositis and case.assessment.record.input_state("Condition") is InputState.FAILED
    found: dict[str, _Spoken] = {}
    for treatment in treatments_of(draft, case, known):
        cautions = cautions_for(treatment, case, known, Level, has_myositis=myositis or is_open, draft=draft)
        for caution in (one for one in cautions if myositis or (one.is_certain and not is_open) or _is_certain_stop(one)):
            found.setdefault(caution.id, _Spoken(caution, treatment, draft))
    spoken = list(found.values())
    if is_unadvised or any(_is_certain_stop(one.caution) for one in spoken):
        firm = [one for one in spoken if _speaks_anyway(one.caution)]
        return [replace(one, caution=replace(one.caution, orders=())) for one in firm]
    return [one for one in spoken if not _is_known_by_now(one, case, known)]


def _unchecked(draft: DraftOrder, spoken: Mapping[str, list[_Spoken]], case: Case, known: Knowledge) -> Iterator[Recommendation]:
    """What could not be weighed for a draft, in one sentence; a draft that is to go needs none."""
    if not has_myositis(case.assessment) or any(
        _is_certain_stop(one.caution) for all_of_rule in spoken.values() for one in all_of_rule if one.draft == draft
    ):
        return
    told: set[str] = set()
    for treatment in treatments_of(draft, case, known):
        unchecked = unchecked_for(treatment, case, known, draft=draft)
        if unchecked and not told.issuperset(unchecked.rules):
            told.update(unchecked.rules)
            title = _title(treatment, case, known)
            yield from_unchecked(unchecked, (Evidence(_is_drafted(title), draft.reference),), title)


def _is_certain_stop(caution: Caution) -> bool:
    """It is said even where the problem list could not be read, so that nobody knows whether this is a myositis."""
    return caution.level is Level.STOP and caution.is_certain


def _speaks_anyway(caution: Caution) -> bool:
    """What is said of a drug that is not to be given: what speaks against it, and an open question that the source warns of."""
    return caution.warn_when_unknown if not caution.is_certain else caution.level is not Level.REMIND and not caution.is_general


def _is_known_by_now(one: _Spoken, case: Case, known: Knowledge) -> bool:
    """What is said to everybody at the start of a drug is not said again when it is renewed."""
    entry = known.treatments.get(one.treatment)
    course = case.assessment.treatment.courses.get(entry.course or "") if entry else None
    is_reminder = one.caution.level is Level.REMIND and one.caution.is_general
    return is_reminder and course is not None and course.is_current


def _said(together: Sequence[_Spoken], case: Case, known: Knowledge) -> Recommendation:
    """One rule about one or several drafts."""
    certain = [one for one in together if one.caution.is_certain] or list(together)
    titles = list(dict.fromkeys(_title(one.treatment, case, known) for one in certain))
    drafted = tuple(Evidence(_is_drafted(_title(one.treatment, case, known)), one.draft.reference) for one in certain)
    caution = certain[0].caution
    alternatives = dict.fromkeys(order for one in certain for order in _alternatives(one, case, known))
    return replace(
        from_caution(caution, drafted, titles, notes_on_instead(caution, _without(certain, case), known)),
        orders=tuple(_wanted(caution.orders, case, known)),
        alternatives=tuple(alternatives)[:MOST_ALTERNATIVES],
        withdraw=_withdrawn(certain, case, known) if caution.may_be_removed or alternatives else (),
        annotate=_annotated(certain, case, known),
    )


def _is_drafted(title: str) -> str:
    return say("{drug} is being drafted", drug=title)


def from_caution(
    caution: Caution, about: tuple[Evidence, ...], drugs: Sequence[str], notes: tuple[str, ...], *, is_taken: bool = False
) -> Recommendation:
    """A caution in words; what cannot be decided is said as "check first" (drug-safety.md, unknown)."""
    level, text = caution.level, caution.text
    drug = say("{drug} is being taken", drug=listed(drugs)) if is_taken else listed(drugs)
    if not caution.is_certain:
        level = Level.WARN if caution.warn_when_unknown else Level.REMIND
        asked = listed(list(dict.fromkeys(before_colon(item.text) for item in caution.missing)))
        text = say("check first: {asked}; {caution}", asked=asked, caution=caution.text)
    return Recommendation(
        id=caution.id,
        topic="drugSafety",
        holds=Answer.YES,
        strength=_STRENGTH[level],
        says=join(": ", (drug, text)),
        urgency=_URGENCY[level],
        sources=(caution.source,),
        because=(*caution.because, *about),
        missing=caution.missing,
        cautions=(caution,),
        drugs=tuple(drugs) if caution.is_certain else (),
        is_against=level is not Level.REMIND,
        notes=notes,
    )


def from_unchecked(unchecked: Unchecked, about: tuple[Evidence, ...], drug: str) -> Recommendation:
    """What could not be weighed, in words; never what the rules would say, since that speaks of data that nobody has read."""
    return Recommendation(
        id=unchecked.rules[0],
        topic="drugSafety",
        holds=Answer.YES,
        strength=_STRENGTH[unchecked.level],
        says=join(": ", (drug, unchecked.text)),
        urgency=_URGENCY[unchecked.level],
        sources=unchecked.sources,
        because=about,
        missing=unchecked.missing,
    )


def _title(treatment: str, case: Case, known: Knowledge) -> str:
    entry = known.treatments.get(treatment)
    if entry is None:
        return str(known.orders[treatment]["title"])
    return case.assessment.definitions.agents[entry.course].title if entry.course else entry.title


# --- what goes with it, and what could stand in its place -----------------------------------------------------------------


def _wanted(orders: Iterable[str], case: Case, known: Knowledge) -> list[str]:
    """The co-prescriptions that are neither done, ordered nor being written, and that nothing speaks against."""
    return [
        key
        for key in orders
        if not _is_done(key, case, known)
        and not any(_is_draft_of_test(draft, key, case, known) for draft in case.drafts)
        and not any(stop.is_certain for stop in cautions_for(key, case, known, (Level.STOP,)))
    ]


def _is_done(order: str, case: Case, known: Knowledge) -> bool:
    investigation = known.orders[order].get("investigation")
    if investigation is None:
        return False
    return case.assessment.investigation(investigation).standing in (Standing.PRESENT, Standing.FAILED)


def _without(spoken: Sequence[_Spoken], case: Case) -> Case:
    """The patient without the drafts that are spoken about."""
    about = {one.draft.reference for one in spoken}
    return replace(case, drafts=tuple(draft for draft in case.drafts if draft.reference not in about))


def _alternatives(one: _Spoken, case: Case, known: Knowledge) -> list[str]:
    """Order keys of the alternatives that may be drafted: for a confirmed myositis, with nothing against them in this patient."""
    if not one.caution.is_certain or not any(phenotype.is_confirmed for phenotype in case.assessment.phenotypes):
        return []
    others = _without((one,), case)
    orders = (known.treatments[key].order for key in one.caution.alternatives if stands(key, others, known))
    return [order for order in orders if order]


# --- the draft itself -----------------------------------------------------------------------------------------------------


def _withdrawn(together: Sequence[_Spoken], case: Case, known: Knowledge) -> tuple[DraftAnswer, ...]:
    """The drafts that may go. Chosen beforehand by a stop rule only, and not if two drafts are dangerous only together."""
    is_chosen = together[0].caution.level is Level.STOP and len({one.treatment for one in together}) == 1
    return tuple(
        DraftAnswer(one.draft, _title(one.treatment, case, known), is_recommended=is_chosen)
        for one in together
        if one.draft.has_id
    )


def _annotated(together: Sequence[_Spoken], case: Case, known: Knowledge) -> tuple[DraftAnswer, ...]:
    """The drafts that should carry a sentence and do not yet."""
    note = together[0].caution.note_on_draft
    if note is None:
        return ()
    return tuple(
        DraftAnswer(one.draft, _title(one.treatment, case, known), note)
        for one in together
        if one.draft.has_id and _can_take(note, one.draft.resource.get("note", [])) and _is_whole(one.draft.resource)
    )


def _can_take(note: str, notes: object) -> bool:
    """Whether the sentence can be added, and is not there yet."""
    return isinstance(notes, list) and all(isinstance(one, dict) and one.get("text") != note for one in notes)


def _is_whole(resource: object) -> bool:
    """Without null and without an empty member: what is not FHIR is spoken of and not given back."""
    values = [resource]
    while values:
        value = values.pop()
        if value is None or value in ("", [], {}):
            return False
        values.extend(value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ())
    return True
