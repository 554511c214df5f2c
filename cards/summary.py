"""The one sentence of a card: what to do, for which disease, in at most 139 characters."""

from collections.abc import Iterable, Iterator, Sequence

from cards.knowledge import Knowledge
from cards.markdown import capital, fit, listed
from cards.recommendation import URGENCIES, Option, Recommendation
from cards.schedule import DueState
from cards.wording import options_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer
from fhir_profiles.record import InputState

_LINE_OPTIONS = {
    "first": "first-line",
    "second": "second-line",
    "third": "third-line",
    "adjunct": "adjunct",
    "maintenance": "maintenance",
    "maintenance-first": "first-line maintenance",
    "maintenance-second": "second-line maintenance",
    "maintenance-third": "third-line maintenance",
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
    firm = [r for r in recommendations if r.holds is Answer.YES and r.is_worth_a_card]
    warning = next((r for r in recommendations if r.warns_unread), None)
    if warning and all(r.urgency == "routine" for r in firm):
        return _longest_that_fits(_unread_warning(warning))
    if not firm:
        return _longest_that_fits(f"{known.topics[topic].display}: {words}" for words in _what_is_missing(recommendations))
    composed = {"nextLineTherapy": _therapy, "tumourScreening": _tumour_screening, "drugSafety": _drug_safety}.get(topic)
    words = _general if composed is None or _leading(firm).headline else composed
    return _longest_that_fits(words(firm, assessment, known))


def _longest_that_fits(wordings: Iterable[str]) -> str:
    """The first wording that fits whole; they come longest first. Cut only where even the last does not fit."""
    last = ""
    for last in wordings:
        if fit(last) == last:
            return last
    return fit(last)


def _most_urgent(recommendations: Sequence[Recommendation]) -> Recommendation:
    return min(recommendations, key=lambda r: URGENCIES.index(r.urgency))


def _leading(recommendations: Sequence[Recommendation]) -> Recommendation:
    """Of the most urgent statements the one that brings its own sentence, else the first."""
    first = _most_urgent(recommendations)
    return next((r for r in recommendations if r.urgency == first.urgency != "routine" and r.headline), first)


def _what_is_missing(recommendations: Sequence[Recommendation]) -> Iterator[str]:
    missing = list(dict.fromkeys(m.text for r in recommendations for m in r.missing))
    for shown in (missing[:2], missing[:1]):
        yield f"could not be assessed; {listed(shown)}"
    yield "could not be assessed; the card says what is missing"


def _unread_warning(warning: Recommendation) -> Iterator[str]:
    """Advice against drugs of which nobody has seen whether one is being taken."""
    unread = capital(warning.missing[0].text)
    yield from _cited(f"{unread}: {warning.says}", warning)
    yield f"{unread}; the card says which drugs are advised against"


def _general(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The headline of the most urgent statement; where it has none, its orders or what it says."""
    first = _leading(firm)
    if first.avoid:
        yield from _cited(f"{capital(listed(first.avoid))}: {first.says}", first)
        yield f"{capital(listed(first.avoid))}: not recommended in this disease ({first.sources[0].short})"
    elif first.orders or (first.headline and not first.held_back):
        yield from _headlines(first, assessment, known)
    elif first.held_back:
        titles = [title for title, _ in first.held_back]
        yield f"{capital(listed(titles))} not on record; not ordered now, see the card"
        yield f"{len(titles)} tests not on record; not ordered now, see the card"
    else:
        yield from _cited(capital(first.says), first)


def _cited(words: str, first: Recommendation) -> Iterator[str]:
    """With the source, without it, and without what a bracket or a second clause adds."""
    yield f"{words} ({first.sources[0].short})"
    yield words
    shorter = words.split(" (")[0].split("; ")[0]
    yield f"{shorter} ({first.sources[0].short})"
    yield shorter


def _headlines(first: Recommendation, assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The headline with its braces filled in (docs/rule-vocabulary.md), at length and then more briefly."""
    titles = [known.orders[order]["title"] for order in first.orders]
    own = [first.headline] if first.headline else [f"{{orders}} not {{place}}: {first.says} ({first.sources[0].short})"]
    options = [_short(option) for option in first.options if option.not_offered is None]
    is_suspected = not any(phenotype.is_confirmed for phenotype in assessment.phenotypes)
    for template in (*own, "{orders} not {place}" + f" ({first.sources[0].short})") if titles else own:
        for is_brief in (False, True):
            words = template.format(
                found=capital(listed(_found(first, assessment)[: 1 if is_brief else 2])),
                place=_place([first]),
                orders=f"{len(titles)} tests" if is_brief and len(titles) > 1 else listed(titles),
                options=listed(options[: 2 if is_brief else 4], "or"),
                due=_due(first, assessment, is_brief),
                suspected=", here suspected" if is_suspected else "",
            )
            yield capital(words)


def _due(first: Recommendation, assessment: Assessment, is_brief: bool) -> str:
    if first.due is None:
        return ""
    return first.due.briefly(assessment.as_of) if is_brief else first.due.says(assessment.as_of)


def _short(option: Option) -> str:
    """A title without its explanation: IVIG."""
    return (
        option.title.removeprefix("intravenous immunoglobulin (").removesuffix(")") if "(IVIG)" in option.title else option.title
    )


def _found(first: Recommendation, assessment: Assessment) -> list[str]:
    """Titles of the features that the statement asks about and the chart shows."""
    asked = [assessment.features[code] for code in first.asks_about if code in assessment.features]
    return [feature.title for feature in asked if feature.is_present]


def _drug_safety(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The most urgent rule and who says so, or the rule alone where both would not fit."""
    first = _most_urgent(firm)
    yield from _cited(capital(first.says), first)
    drug = first.says.split(":")[0]
    yield f"{capital(drug)}: see the card before it is signed ({first.sources[0].short})"


def _therapy(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    """The options that fit best, for this disease in this state."""
    if not any(r.options for r in firm):
        yield from _cited(capital(_most_urgent(firm).says), _most_urgent(firm))
        return
    disease = _disease_state(assessment)
    standing = [option for option in options_of(firm) if option.not_offered is None and not option.is_adjunct]
    if not standing:
        yield f"No option of the guidelines is left for {disease}: seek specialist advice"
        return
    best = [option for option in standing if option.is_best_fit] or standing
    lines = {backing.line for option in best for backing in option.backing if backing.line != "any"}
    is_later = assessment.treatment.line > 1 or assessment.features["first-line-used-up"].is_present
    named = len(lines) == 1 and not (lines == {"first"} and is_later)
    line = f"{capital(_LINE_OPTIONS[lines.pop()])} options" if named else "Next-line options"
    ungraded = disease.partition(_SEVERITY)[0]
    for state in dict.fromkeys((disease, ungraded)):
        for most in (4, 3, 2):
            yield f"{line} for {state}: {_named_options(best, most)}"
    yield f"{line} for {ungraded}: {len(best)}, see the card"


_SEVERITY = " (severity "


def _disease_state(assessment: Assessment) -> str:
    title = _primary_title(assessment)
    severity = assessment.severity.value
    if assessment.features["severe-ild"].is_present:
        state = f"acute or severe lung disease in {title}"
    else:
        state = title if severity == "unknown" else f"{severity} {title}"
        if assessment.features["interstitial-lung-disease"].is_present:  # "non-severe" speaks of the muscle
            state = f"{title} with lung disease" if severity != "severe" else f"{state} with lung disease"
    if assessment.features["pregnancy"].is_present:
        state += " in pregnancy"
    if severity != "unknown":
        return state
    is_unread = assessment.record.input_state("Observation") is InputState.FAILED
    return f"{state}{_SEVERITY}{'could not be assessed' if is_unread else 'not on record'})"


def _primary_title(assessment: Assessment) -> str:
    """The primary phenotype; a child's disease is named as such, whatever its antibody."""
    confirmed = [p for p in assessment.phenotypes if p.is_confirmed] or list(assessment.phenotypes)
    juvenile = [p for p in confirmed if p.code.startswith("juvenile")]
    return (juvenile or confirmed)[0].title if confirmed else "myositis"


def _named_options(options: Sequence[Option], most: int) -> str:
    """`oral glucocorticoid with methotrexate or azathioprine` where each goes with it, else a plain list of alternatives."""
    partners = [_short(option) for option in options if option.treatment.startswith("glucocorticoid")]
    others = [option for option in options if not option.treatment.startswith("glucocorticoid")]
    if all(any(backing.partner for backing in option.backing) for option in others):
        return " with ".join(_some(titles, most) for titles in (partners, [_short(o) for o in others]) if titles)
    return _some([_short(option) for option in options], most)


def _some(titles: Sequence[str], most: int) -> str:
    """So many of them; that there are more is said."""
    rest = len(titles) - most
    return listed([*titles[:most], f"{rest} more"] if rest > 0 else titles, "or")


def _place(firm: Sequence[Recommendation]) -> str:
    """Where nothing was found: "on record" claims more than a client that sent no procedures allows."""
    return "in the data supplied" if any(item.is_caveat for r in firm for item in r.missing) else "on record"


def _tumour_screening(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> Iterator[str]:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    found = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = found.title if found else "dermatomyositis"
    if not orders:
        yield from _repeat(disease, firm, assessment)
        return
    place = "not on record" if _place(firm) == "on record" else "not in the data supplied"
    titles = _screening_titles(orders, known)
    for shown in range(len(titles), 0, -1):
        rest = len(titles) - shown
        yield f"Tumour screening in {disease}: {listed(titles[:shown] + ([f'{rest} more'] if rest else []))} {place}"
    yield f"Tumour screening in {disease}: {len(titles)} tests {place}"


def _repeat(disease: str, firm: Sequence[Recommendation], assessment: Assessment) -> Iterator[str]:
    due = next((r.due for r in firm if r.due), None)
    if due is None:
        yield f"Tumour screening in {disease}: nothing is ordered now, see the card"
        return
    state = "overdue" if due.state is DueState.OVERDUE else "due again"
    for words in (due.says(assessment.as_of), due.briefly(assessment.as_of)):
        yield f"Tumour screening in {disease} is {state}: {words}"


def _screening_titles(orders: list[str], known: Knowledge) -> list[str]:
    """Order titles; the two parts of the CT, and the PET-CT that may replace it, in one."""
    parts = _CT_PARTS & set(orders)
    if len(parts) < 2:
        return [known.orders[order]["title"] for order in orders]
    together = "PET-CT or CT of thorax and abdomen" if "fdg-pet-ct" in parts else "CT of thorax and abdomen"
    return [together, *(known.orders[order]["title"] for order in orders if order not in parts)]
