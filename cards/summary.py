"""The one sentence of a card: what to do, for which disease, in at most 139 characters."""

from collections.abc import Iterator, Mapping, Sequence

from cards.braces import IN_THE_DATA_SUPPLIED, ON_RECORD, filled_in, names_in
from cards.dangers import clauses, contraindicated, counted, dangers_in, first_clause
from cards.knowledge import Knowledge
from cards.markdown import before_colon, capital, listed, longest_that_fits, more, one_of
from cards.recommendation import URGENCIES, Level, Option, Recommendation
from cards.schedule import DueState
from cards.wording import options_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer
from fhir_profiles.record import InputState
from fhir_profiles.sentences import changed, join, say, say_number

_LINE_OPTIONS = {
    "first": say("first-line options"),
    "second": say("second-line options"),
    "third": say("third-line options"),
    "adjunct": say("adjunct options"),
    "maintenance": say("maintenance options"),
    "maintenance-first": say("first-line maintenance options"),
    "maintenance-second": say("second-line maintenance options"),
    "maintenance-third": say("third-line maintenance options"),
}
_CT_PARTS = {"fdg-pet-ct", "ct-thorax", "ct-abdomen"}


def summary(topic: str, recommendations: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """One sentence of at most 139 characters: the longest wording that fits, so that none is cut in its middle.

    Args:
        topic: card topic code.
        recommendations: what the card says; if none holds firmly, the sentence asks for what is missing.
        assessment: the patient.
        known: the knowledge.
    """
    own = [r for r in recommendations if r.topic == topic]
    wordings = list(_wordings(topic, own, assessment, known))
    beside = [
        r for r in recommendations if r.topic != topic and (r.warns_unread or (r.holds is Answer.YES and r.is_worth_a_card))
    ]
    return longest_that_fits(_with(beside, topic, own, wordings, known) if beside else wordings)


def _wordings(topic: str, own: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """What the card's own topic says."""
    firm = [r for r in own if r.holds is Answer.YES and r.is_worth_a_card]
    warning = next((r for r in own if r.warns_unread), None)
    if warning and all(r.urgency == "routine" for r in firm):
        return _unread_warning(warning)
    if not firm:
        return _what_is_missing(known.topics[topic].display, own)
    composed = {"nextLineTherapy": _therapy, "tumourScreening": _tumour_screening, "drugSafety": _drug_safety}.get(topic)
    words = _general if composed is None or _leading(firm).headline else composed
    return words(firm, assessment, known)


def _with(
    beside: Sequence[Recommendation], topic: str, own: Sequence[Recommendation], wordings: Sequence[str], known: Knowledge
) -> Iterator[str]:
    """What stands on the card from other topics is named in its sentence, too; where both speak against drugs, in one list."""
    against = dangers_in(beside)
    led_by = dangers_in(own)
    urgency = _most_urgent([r for r in own if r.warns_unread or r.holds is Answer.YES] or own).urgency
    if led_by and led_by[0].urgency == urgency:
        yield from _dangers(dangers_in([*own, *beside]))
        return
    name = known.topics[topic].display
    openings = wordings if urgency == "urgent" else [*wordings, name]
    others: Sequence[str] = [changed(first_clause, _leading(beside).says)]
    if against:
        others = [*(words for words, _ in clauses(against)), *contraindicated(against), counted(against)]
    for also in others:
        yield from (say("{says}; also {more}", says=words, more=also) for words in openings)


def _dangers(said: Sequence[Recommendation]) -> Iterator[str]:
    """What speaks against drugs, with its sources and without."""
    for words, sources in clauses(said):
        yield capital(say("{says} ({source})", says=words, source=sources))
        yield capital(words)


def _most_urgent(recommendations: Sequence[Recommendation]) -> Recommendation:
    return min(recommendations, key=lambda r: URGENCIES.index(r.urgency))


def _leading(recommendations: Sequence[Recommendation]) -> Recommendation:
    """Of the most urgent statements one against a drug, else one that brings its own sentence, else the first."""
    first = _most_urgent(recommendations)
    against = next((r for r in recommendations if r.urgency == first.urgency != "routine" and r.avoid), None)
    if against:
        return against
    return next((r for r in recommendations if r.urgency == first.urgency != "routine" and r.headline), first)


def _what_is_missing(topic: str, recommendations: Sequence[Recommendation]) -> Iterator[str]:
    missing = list(dict.fromkeys(m.text for r in recommendations for m in r.missing))
    for shown in (missing[:2], missing[:1]):
        yield say("{topic}: could not be assessed; {missing}", topic=topic, missing=listed(shown))
    yield say("{topic}: could not be assessed; the card says what is missing", topic=topic)


def _unread_warning(warning: Recommendation) -> Iterator[str]:
    """Advice against drugs of which nobody has seen whether one is being taken."""
    unread = capital(warning.missing[0].text)
    yield from _cited(join(": ", (unread, warning.says)), warning)
    yield say("{unread}; the card says which drugs are advised against", unread=unread)


def _general(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The headline of the most urgent statement; where it has none, its orders or what it says."""
    first = _leading(firm)
    if first.avoid:
        against = [r for r in firm if r.avoid]
        if first.headline and len({r.says for r in against}) == 1:
            yield from map(capital, _headline(first.headline, _fields(first, assessment, (), is_brief=False)))
        yield from _dangers(dangers_in(against))
    elif first.orders or (first.headline and not first.held_back):
        yield from _headlines(first, assessment, known)
    elif first.held_back:
        titles = [title for title, _ in first.held_back]
        yield say("{tests} not on record; not ordered now, see the card", tests=capital(listed(titles)))
        yield say("{tests} not on record; not ordered now, see the card", tests=_tests(len(titles)))
    else:
        yield from _cited(capital(first.says), first)


def _tests(number: int) -> str:
    return say_number("{number} test", "{number} tests", number)


def _cited(words: str, first: Recommendation) -> Iterator[str]:
    """With the source, without it, and without what a bracket or a second clause adds."""
    for wording in (words, changed(first_clause, words)):
        yield say("{says} ({source})", says=wording, source=first.sources[0].short)
        yield wording


def _headlines(first: Recommendation, assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The headline with its braces filled in (docs/rule-vocabulary.md), at length and then more briefly."""
    titles = [known.orders[order]["title"] for order in first.orders]
    source = first.sources[0].short
    fields = [_fields(first, assessment, titles, is_brief) for is_brief in (False, True)]
    for named in fields:
        if first.headline:
            yield from map(capital, _headline(first.headline, named))
        else:
            orders, place = named["orders"], named["place"]
            words = say("{orders} not {place}: {says} ({source})", orders=orders, place=place, says=first.says, source=source)
            yield capital(words)
    if first.urgency == "urgent" and fields[0]["found"]:
        yield join(": ", (fields[1]["found"], changed(first_clause, first.says)))
        yield say("{found}: specialist centre now", found=fields[1]["found"])
        return
    if not titles:
        yield from _cited(capital(first.says), first)
        return
    for named in fields:
        yield capital(say("{orders} not {place} ({source})", orders=named["orders"], place=named["place"], source=source))


def _fields(first: Recommendation, assessment: Assessment, titles: Sequence[str], is_brief: bool) -> dict[str, str]:
    """What the braces of a headline stand for."""
    options = [_short(option) for option in first.options if option.not_offered is None]
    is_suspected = not any(phenotype.is_confirmed for phenotype in assessment.phenotypes)
    return {
        "found": capital(listed(_found(first, assessment)[: 1 if is_brief else 2])),
        "place": IN_THE_DATA_SUPPLIED if _is_partial([first]) else ON_RECORD,
        "orders": _tests(len(titles)) if is_brief and len(titles) > 1 else listed(titles),
        "options": one_of(options[: 2 if is_brief else 4]),
        "due": _due(first, assessment, is_brief),
        "suspected": say(", here suspected") if is_suspected else "",
        "avoided": listed(first.avoid),
    }


def _headline(headline: str, fields: Mapping[str, str]) -> Iterator[str]:
    """A headline filled in, unless one of its braces would stay empty."""
    if all(fields[name] for name in names_in(headline) if name != "suspected"):
        yield filled_in(headline, fields)


def _due(first: Recommendation, assessment: Assessment, is_brief: bool) -> str:
    if first.due is None:
        return ""
    return first.due.briefly(assessment.as_of) if is_brief else first.due.says(assessment.as_of)


def _short(option: Option) -> str:
    """A title without its explanation: IVIG."""
    return changed(_abbreviation, option.title) if "(IVIG)" in option.title else option.title


def _abbreviation(title: str) -> str:
    """What stands in the brackets of a title."""
    return title.partition("(")[2].removesuffix(")") or title


def _found(first: Recommendation, assessment: Assessment) -> list[str]:
    """Titles of the features that the statement asks about and the chart shows."""
    asked = [assessment.features[code] for code in first.asks_about if code in assessment.features]
    return [feature.title for feature in asked if feature.is_present]


def _drug_safety(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """Every stop; without one the most urgent rule and who says so."""
    first = _most_urgent(firm)
    stops = dangers_in(firm) if first.urgency == "urgent" else []
    if stops:
        yield from _dangers(stops)
        return
    yield from _cited(capital(first.says), first)
    if first.drugs:
        yield from _dangers([first])
    if not first.is_against:
        drug = capital(before_colon(first.says))
        yield say("{drug}: see the card before it is signed ({source})", drug=drug, source=first.sources[0].short)


def _therapy(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The options that fit best, for this disease in this state."""
    if not any(r.options for r in firm):
        yield from _cited(capital(_most_urgent(firm).says), _most_urgent(firm))
        return
    disease = _disease_state(assessment)
    standing = [option for option in options_of(firm) if option.not_offered is None and not option.is_adjunct]
    if not standing:
        left = _with_open_severity(disease, assessment)
        yield say("No option of the guidelines is left for {disease}: seek specialist advice", disease=left)
        return
    fitting = [option for option in standing if option.is_best_fit] or standing
    best = [option for option in fitting if not _is_held_back(option)] or fitting
    lines = {backing.line for option in best for backing in option.backing if backing.line != "any"}
    is_later = assessment.treatment.line > 1 or assessment.features["first-line-used-up"].is_present
    named = len(lines) == 1 and (lines == {"first"}) is not is_later
    further = say("Next-line options") if is_later else say("Treatment options")
    line = capital(_LINE_OPTIONS[lines.pop()]) if named else further
    if all(map(_is_held_back, best)):
        line = say("{line} (those that fit best are held back)", line=line)
    for state in dict.fromkeys((_with_open_severity(disease, assessment), disease)):
        for most in (4, 3, 2):
            yield say("{line} for {disease}: {options}", line=line, disease=state, options=_named_options(best, most))
    yield say("{line} for {disease}: {number}, see the card", line=line, disease=disease, number=len(best))


def _is_held_back(option: Option) -> bool:
    """It stands, but something on record speaks against it for now."""
    return any(caution.level is Level.HOLD for caution in option.cautions)


def _disease_state(assessment: Assessment) -> str:
    """The disease, how severe it is where that is known, and what else decides its treatment."""
    state = _primary_title(assessment)
    is_severe = assessment.severity.value == "severe"
    if assessment.features["severe-ild"].is_present:
        state = say("acute or severe lung disease in {disease}", disease=state)
    elif assessment.features["interstitial-lung-disease"].is_present:  # "non-severe" speaks of the muscle
        severe = say("severe {disease} with lung disease", disease=state)
        state = severe if is_severe else say("{disease} with lung disease", disease=state)
    elif assessment.severity.value != "unknown":
        state = say("severe {disease}", disease=state) if is_severe else say("non-severe {disease}", disease=state)
    return say("{disease} in pregnancy", disease=state) if assessment.features["pregnancy"].is_present else state


def _with_open_severity(state: str, assessment: Assessment) -> str:
    """Why the state says nothing of the severity, where it does not."""
    if assessment.severity.value != "unknown":
        return state
    if assessment.record.input_state("Observation") is InputState.FAILED:
        return say("{disease} (severity could not be assessed)", disease=state)
    return say("{disease} (severity not on record)", disease=state)


def _primary_title(assessment: Assessment) -> str:
    """The primary phenotype; a child's disease is named as such, whatever its antibody."""
    confirmed = [p for p in assessment.phenotypes if p.is_confirmed] or list(assessment.phenotypes)
    juvenile = [p for p in confirmed if p.code.startswith("juvenile")]
    return (juvenile or confirmed)[0].title if confirmed else say("myositis")


def _named_options(options: Sequence[Option], most: int) -> str:
    """`oral glucocorticoid with methotrexate or azathioprine` where each goes with it, else a plain list of alternatives."""
    partners = [_short(option) for option in options if option.treatment.startswith("glucocorticoid")]
    others = [option for option in options if not option.treatment.startswith("glucocorticoid")]
    if all(any(backing.partner for backing in option.backing) for option in others):
        partner, other = (_some(titles, most) for titles in (partners, [_short(option) for option in others]))
        return say("{partner} with {other}", partner=partner, other=other) if partner and other else partner or other
    return _some([_short(option) for option in options], most)


def _some(titles: Sequence[str], most: int) -> str:
    """So many of them; that there are more is said."""
    rest = len(titles) - most
    return one_of([*titles[:most], more(rest)] if rest > 0 else titles)


def _is_partial(firm: Sequence[Recommendation]) -> bool:
    """Where nothing was found: "on record" claims more than a client that sent no procedures allows."""
    return any(item.is_caveat for r in firm for item in r.missing)


def _tumour_screening(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    found = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = found.title if found else say("dermatomyositis")
    if not orders:
        yield from _repeat(disease, firm, assessment)
        return
    titles = _screening_titles(orders, known)
    shortened = [listed([*titles[:n], *([more(len(titles) - n)] if n < len(titles) else [])]) for n in range(len(titles), 0, -1)]
    for tests in (*shortened, _tests(len(titles))):
        if _is_partial(firm):
            yield say("Tumour screening in {disease}: {tests} not in the data supplied", disease=disease, tests=tests)
        else:
            yield say("Tumour screening in {disease}: {tests} not on record", disease=disease, tests=tests)


def _repeat(disease: str, firm: Sequence[Recommendation], assessment: Assessment) -> Iterator[str]:
    due = next((r.due for r in firm if r.due), None)
    if due is None:
        yield say("Tumour screening in {disease}: nothing is ordered now, see the card", disease=disease)
        return
    for words in (due.says(assessment.as_of), due.briefly(assessment.as_of)):
        if due.state is DueState.OVERDUE:
            yield say("Tumour screening in {disease} is overdue: {due}", disease=disease, due=words)
        else:
            yield say("Tumour screening in {disease} is due again: {due}", disease=disease, due=words)


def _screening_titles(orders: list[str], known: Knowledge) -> list[str]:
    """Order titles; the two parts of the CT, and the PET-CT that may replace it, in one."""
    parts = _CT_PARTS & set(orders)
    if len(parts) < 2:
        return [known.orders[order]["title"] for order in orders]
    is_pet = "fdg-pet-ct" in parts
    together = say("PET-CT or CT of thorax and abdomen") if is_pet else say("CT of thorax and abdomen")
    return [together, *(known.orders[order]["title"] for order in orders if order not in parts)]
