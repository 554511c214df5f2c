"""The one sentence of a card: what to do, for which disease, in at most 139 characters."""

from collections.abc import Sequence

from cards.knowledge import Knowledge
from cards.markdown import capital, fit, listed
from cards.recommendation import Option, Recommendation
from cards.schedule import DueState
from cards.wording import options_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer

_URGENCIES = ("urgent", "soon", "routine")
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
    """One sentence of at most 139 characters.

    Args:
        topic: card topic code.
        recommendations: what the card says; if none holds firmly, the sentence asks for what is missing.
        assessment: the patient.
        known: the knowledge.
    """
    firm = [r for r in recommendations if r.holds is Answer.YES and r.is_worth_a_card]
    if not firm:
        return fit(f"{known.topics[topic].display}: {_what_is_missing(recommendations)}")
    composed = {"nextLineTherapy": _therapy, "tumourScreening": _tumour_screening, "drugSafety": _drug_safety}.get(topic)
    words = _general if composed is None or _most_urgent(firm).headline else composed
    return fit(words(firm, assessment, known))


def _most_urgent(recommendations: Sequence[Recommendation]) -> Recommendation:
    return min(recommendations, key=lambda r: _URGENCIES.index(r.urgency))


def _what_is_missing(recommendations: Sequence[Recommendation]) -> str:
    missing = list(dict.fromkeys(m.text for r in recommendations for m in r.missing))
    return f"could not be assessed; {listed(missing[:2])}"


def _general(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """The headline of the most urgent statement; where it has none, its orders or what it says."""
    first = _most_urgent(firm)
    if first.avoid:
        return f"{capital(listed(first.avoid))}: {first.says} ({first.sources[0].short})"
    if first.orders or (first.headline and not first.held_back):
        return _headline(first, assessment, known)
    if first.held_back:
        return f"{capital(listed([title for title, _ in first.held_back]))} not on record; not ordered now, see the card"
    return f"{capital(first.says)} ({first.sources[0].short})"


def _headline(first: Recommendation, assessment: Assessment, known: Knowledge) -> str:
    """The headline with its braces filled in: found, place, orders, options, due, suspected (docs/rule-vocabulary.md)."""
    orders = listed([known.orders[order]["title"] for order in first.orders])
    template = first.headline or f"{{orders}} not {{place}}: {first.says} ({first.sources[0].short})"
    is_suspected = not any(phenotype.is_confirmed for phenotype in assessment.phenotypes)
    words = template.format(
        found=capital(listed(_found(first, assessment)[:2])),
        place=_place([first]),
        orders=orders,
        options=listed([option.title for option in first.options if option.not_offered is None][:4], "or"),
        due=first.due.says(assessment.as_of) if first.due else "",
        suspected=", here suspected" if is_suspected else "",
    )
    return capital(words)


def _found(first: Recommendation, assessment: Assessment) -> list[str]:
    """Titles of the features that the statement asks about and the chart shows."""
    asked = [assessment.features[code] for code in first.asks_about if code in assessment.features]
    return [feature.title for feature in asked if feature.is_present]


def _drug_safety(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """The most urgent rule and who says so, or the rule alone where both would not fit."""
    first = _most_urgent(firm)
    sentence = f"{capital(first.says)} ({first.sources[0].short})"
    return sentence if fit(sentence) == sentence else capital(first.says)


def _therapy(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """The options that fit best, for this disease in this state."""
    if not any(r.options for r in firm):
        return capital(_most_urgent(firm).says)
    disease = _disease_state(assessment)
    standing = [option for option in options_of(firm) if option.not_offered is None]
    if not standing:
        return f"No option of the guidelines is left for {disease}: seek specialist advice"
    best = [option for option in standing if option.is_best_fit] or standing
    lines = {backing.line for option in best for backing in option.backing if backing.line != "any"}
    is_later = assessment.treatment.line > 1 or assessment.features["first-line-used-up"].is_present
    named = len(lines) == 1 and not (lines == {"first"} and is_later)
    line = f"{capital(_LINE_OPTIONS[lines.pop()])} options" if named else "Next-line options"
    return f"{line} for {disease}: {_named_options(best)}"


def _disease_state(assessment: Assessment) -> str:
    title = _primary_title(assessment)
    severity = assessment.severity.value
    if assessment.features["severe-ild"].is_present:
        state = f"acute or severe lung disease in {title}"
    else:
        state = title if severity == "unknown" else f"{severity} {title}"
    if assessment.features["pregnancy"].is_present:
        state += " in pregnancy"
    return f"{state} (severity not on record)" if severity == "unknown" else state


def _primary_title(assessment: Assessment) -> str:
    """The primary phenotype; a child's disease is named as such, whatever its antibody."""
    confirmed = [p for p in assessment.phenotypes if p.is_confirmed] or list(assessment.phenotypes)
    juvenile = [p for p in confirmed if p.code.startswith("juvenile")]
    return (juvenile or confirmed)[0].title if confirmed else "myositis"


def _named_options(options: Sequence[Option]) -> str:
    """`oral glucocorticoid with methotrexate or azathioprine` where each goes with it, else a plain list of alternatives."""
    partners = [option.title for option in options if option.treatment.startswith("glucocorticoid")]
    others = [option for option in options if not option.treatment.startswith("glucocorticoid")]
    if all(any(backing.partner for backing in option.backing) for option in others):
        return " with ".join(listed(titles, "or") for titles in (partners, [o.title for o in others[:4]]) if titles)
    return listed([option.title for option in options][:4], "or")


def _place(firm: Sequence[Recommendation]) -> str:
    """Where nothing was found: "on record" claims more than a client that sent no procedures allows."""
    return "in the data supplied" if any(item.is_caveat for r in firm for item in r.missing) else "on record"


def _tumour_screening(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    found = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = found.title if found else "dermatomyositis"
    if not orders:
        return _repeat(disease, firm, assessment)
    place = "not on record" if _place(firm) == "on record" else "not in the data supplied"
    titles = _screening_titles(orders, known)
    for shown in range(len(titles), 0, -1):
        rest = len(titles) - shown
        sentence = f"Tumour screening in {disease}: {listed(titles[:shown] + ([f'{rest} more'] if rest else []))} {place}"
        if fit(sentence) == sentence:
            return sentence
    return f"Tumour screening in {disease}: {len(titles)} tests {place}"


def _repeat(disease: str, firm: Sequence[Recommendation], assessment: Assessment) -> str:
    due = next((r.due for r in firm if r.due), None)
    if due is None:
        return f"Tumour screening in {disease}: nothing is ordered now, see the card"
    state = "overdue" if due.state is DueState.OVERDUE else "due again"
    return f"Tumour screening in {disease} is {state}: {due.says(assessment.as_of)}"


def _screening_titles(orders: list[str], known: Knowledge) -> list[str]:
    """Order titles; the two parts of the CT, and the PET-CT that may replace it, in one."""
    parts = _CT_PARTS & set(orders)
    if len(parts) < 2:
        return [known.orders[order]["title"] for order in orders]
    together = "PET-CT or CT of thorax and abdomen" if "fdg-pet-ct" in parts else "CT of thorax and abdomen"
    return [together, *(known.orders[order]["title"] for order in orders if order not in parts)]
