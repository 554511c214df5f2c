"""The one sentence of a card: what to do, for which disease, in at most 139 characters."""

from collections.abc import Sequence

from cards.knowledge import Knowledge
from cards.markdown import capital, fit, listed
from cards.recommendation import Option, Recommendation
from cards.wording import options_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer

_URGENCIES = ("urgent", "soon", "routine")
_LIFE_THREATENING = (
    "rapidly-progressive-ild",
    "respiratory-failure",
    "myocarditis",
    "pneumomediastinum",
    "pulmonary-hypertension",
    "severe-dysphagia",
)
_CT_PARTS = {"fdg-pet-ct", "ct-thorax", "ct-abdomen"}


def summary(topic: str, recommendations: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """One sentence of at most 139 characters.

    Args:
        topic: card topic code.
        recommendations: what the card says; if none holds firmly, the sentence asks for what is missing.
        assessment: the patient.
        known: the knowledge.
    """
    firm = [r for r in recommendations if r.holds is Answer.YES and not r.is_stated]
    if not firm:
        return fit(f"{known.topics[topic].display}: {_what_is_missing(recommendations)}")
    words = {
        "nextLineTherapy": _therapy,
        "lungFunction": _lung_function,
        "tumourScreening": _tumour_screening,
        "urgentReferral": _urgent_referral,
        "drugSafety": _drug_safety,
    }.get(topic, _general)
    return fit(words(firm, assessment, known))


def _most_urgent(recommendations: Sequence[Recommendation]) -> Recommendation:
    return min(recommendations, key=lambda r: _URGENCIES.index(r.urgency))


def _what_is_missing(recommendations: Sequence[Recommendation]) -> str:
    missing = list(dict.fromkeys(m.text for r in recommendations for m in r.missing))
    return f"could not be assessed; {listed(missing[:2])}"


def _general(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    first = _most_urgent(firm)
    if first.avoid:
        return f"{capital(listed(first.avoid))}: {first.says} ({first.sources[0].short})"
    if not first.orders:
        return capital(first.says)
    orders = listed([known.orders[order]["title"] for order in first.orders])
    place = "not on record" if _place([first]) == "on record" else "not in the data supplied"
    return f"{capital(orders)} {place}: {first.says} ({first.sources[0].short})"


def _drug_safety(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """The most urgent rule and who says so, or the rule alone where both would not fit."""
    first = _most_urgent(firm)
    sentence = f"{capital(first.says)} ({first.sources[0].short})"
    return sentence if fit(sentence) == sentence else capital(first.says)


def _urgent_referral(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    if not any(r.id == "unmet-life-threatening" for r in firm):
        return _general(firm, assessment, known)
    found = [assessment.features[code].title for code in _LIFE_THREATENING if assessment.features[code].is_present]
    return f"{capital(listed(found[:2]))} in myositis: contact a specialist centre now; no guideline covers it"


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
    line = f"{capital(lines.pop())}-line options" if named else "Next-line options"
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


def _lung_function(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    first = _most_urgent(firm)
    if first.id == "sunderkotter-2016-pft-abnormal-pulmonology":
        return "Lung function is abnormal and no pulmonology referral is on record: further work-up is recommended"
    if not first.orders:
        return "No lung function test on record; it is not ordered now, see the card"
    whom = "every patient with myositis" + ("" if any(p.is_confirmed for p in assessment.phenotypes) else ", here suspected")
    return f"No lung function test {_place(firm)}: recommended for {whom} ({first.sources[0].short})"


def _place(firm: Sequence[Recommendation]) -> str:
    """Where nothing was found: "on record" claims more than a client that sent no procedures allows."""
    return "in the data supplied" if any(item.is_caveat for r in firm for item in r.missing) else "on record"


def _tumour_screening(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    found = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = found.title if found else "dermatomyositis"
    if not orders:
        repeat = next((item.text for r in firm for item in r.because if "repeat due from" in item.text), None)
        return f"Tumour screening in {disease}" + (
            f" is due again: {repeat}" if repeat else ": nothing is ordered now, see the card"
        )
    place = "not on record" if _place(firm) == "on record" else "not in the data supplied"
    titles = _screening_titles(orders, known)
    for shown in range(len(titles), 0, -1):
        rest = len(titles) - shown
        sentence = f"Tumour screening in {disease}: {listed(titles[:shown] + ([f'{rest} more'] if rest else []))} {place}"
        if fit(sentence) == sentence:
            return sentence
    return f"Tumour screening in {disease}: {len(titles)} tests {place}"


def _screening_titles(orders: list[str], known: Knowledge) -> list[str]:
    """Order titles; the two parts of the CT, and the PET-CT that may replace it, in one."""
    parts = _CT_PARTS & set(orders)
    if len(parts) < 2:
        return [known.orders[order]["title"] for order in orders]
    together = "PET-CT or CT of thorax and abdomen" if "fdg-pet-ct" in parts else "CT of thorax and abdomen"
    return [together, *(known.orders[order]["title"] for order in orders if order not in parts)]
