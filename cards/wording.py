"""What a card says, in words: conclusion first, then reasons, options, what is missing, who disagrees, and the sources."""

from collections.abc import Iterable, Sequence

from cards.knowledge import Knowledge
from cards.markdown import bullets, capital, escape, fit, listed, section, table
from cards.recommendation import Option, Recommendation, Source
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer, Evidence, Missing

LIMITS = (
    "_Decision support, not a medical device and not clinically validated. "
    "The sources are mostly expert opinion or low-grade evidence._"
)


def summary(topic: str, recommendations: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """One sentence of at most 139 characters."""
    firm = [r for r in recommendations if r.holds is Answer.YES]
    if not firm:
        return fit(f"{known.topics[topic].display}: {_what_is_missing(recommendations)}")
    words = {
        "nextLineTherapy": _therapy_summary,
        "lungFunction": _order_summary,
        "tumourScreening": _screening_summary,
    }.get(topic)
    return fit((words or _general_summary)(firm, assessment, known))


def _general_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    first = _most_urgent(firm)
    if not first.orders:
        return capital(first.says)
    orders = listed([known.orders[order]["title"] for order in first.orders])
    place = "not on record" if _place([first]) == "on record" else "not in the data supplied"
    return f"{capital(orders)} {place}: {first.says} ({first.sources[0].short})"


def _most_urgent(recommendations: Sequence[Recommendation]) -> Recommendation:
    return min(recommendations, key=lambda r: ["urgent", "soon", "routine"].index(r.urgency))


def _what_is_missing(recommendations: Sequence[Recommendation]) -> str:
    missing = dict.fromkeys(m.text for r in recommendations for m in r.missing)
    return f"could not be assessed; {listed(list(missing)[:2])}"


def _therapy_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    options = [option for option in options_of(firm) if option.not_offered is None]
    lines = {backing.line for option in options for backing in option.backing if backing.line != "any"}
    line = f"{capital(lines.pop())}-line options" if len(lines) == 1 else "Next-line options"
    disease = f"{'' if assessment.severity.value == 'unknown' else assessment.severity.value + ' '}{_primary_title(assessment)}"
    if not options:
        return f"No option of the guidelines is left for {disease}: seek specialist advice"
    return f"{line} for {disease}: {_named_options(options)}"


def _named_options(options: Sequence[Option]) -> str:
    """`oral glucocorticoid with methotrexate or azathioprine` where each goes with it, else a plain list of alternatives."""
    partners = [option.title for option in options if option.treatment.startswith("glucocorticoid")]
    others = [option for option in options if not option.treatment.startswith("glucocorticoid")]
    if all(any(backing.partner for backing in option.backing) for option in others):
        return " with ".join(listed(titles, "or") for titles in (partners, [o.title for o in others[:4]]) if titles)
    return listed([option.title for option in options][:4], "or")


def _primary_title(assessment: Assessment) -> str:
    confirmed = next((p for p in assessment.phenotypes if p.is_confirmed), assessment.primary)
    return confirmed.title if confirmed else "myositis"


def _order_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    first = _most_urgent(firm)
    if first.id == "sunderkotter-2016-pft-abnormal-pulmonology":
        return "Lung function is abnormal and no pulmonology referral is on record: further work-up is recommended"
    return f"No lung function test {_place(firm)}: recommended for every patient with myositis ({first.sources[0].short})"


def _place(firm: Sequence[Recommendation]) -> str:
    """Where nothing was found: "on record" claims more than a client that sent no procedures allows."""
    return "in the data supplied" if any("not supplied" in item.text for r in firm for item in r.missing) else "on record"


def _screening_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    dermatomyositis = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = dermatomyositis.title if dermatomyositis else "dermatomyositis"
    if not orders:
        repeat = next((item for r in firm for item in r.because if "repeat due from" in item.text), None)
        return (
            f"Tumour screening in {disease} is due again: {repeat.text}"
            if repeat
            else f"Tumour screening in {disease}: {firm[0].says}"
        )
    place = "not on record" if _place(firm) == "on record" else "not in the data supplied"
    titles = [known.orders[order]["title"].replace(" (alternative to CT)", "") for order in orders]
    for shown in range(len(titles), 0, -1):
        rest = len(titles) - shown
        names = listed(titles[:shown] + ([f"{rest} more"] if rest else []))
        sentence = f"Tumour screening in {disease}: {names} {place}"
        if fit(sentence) == sentence:
            return sentence
    return f"Tumour screening in {disease}: {len(titles)} tests {place}"


def detail(recommendations: Sequence[Recommendation], missing: Sequence[Missing], known: Knowledge) -> str:
    """The card's detail, in Markdown.

    Args:
        recommendations: what the card says.
        missing: what would help, of these and of the statements that wait for it.
        known: the knowledge.
    """
    options = options_of(recommendations)
    parts = [
        section("Advice", bullets(_advice([r for r in recommendations if not r.options]))),
        section("Options", _options_table([o for o in options if o.not_offered is None])),
        section("Not suggested", bullets(f"{o.title}: {escape(o.not_offered)}" for o in options if o.not_offered)),
        section("Why", bullets(_reasons(evidence_of(recommendations)))),
        section(
            "Already done or ordered",
            bullets(dict.fromkeys(escape(item.text) for r in recommendations for item in r.already)),
        ),
        section("Please note", bullets(dict.fromkeys(note for r in recommendations for note in r.notes))),
        section("Missing", bullets(capital(escape(item.text)) for item in missing[:_MOST_REASONS])),
        section("Where guidelines disagree", bullets(_disagreements(recommendations, known))),
        section("Sources", bullets(_cited(source) for source in sources_of(recommendations))),
        LIMITS,
    ]
    return "\n\n".join(part for part in parts if part)


_MOST_REASONS = 8


def _reasons(evidence: Sequence[Evidence]) -> list[str]:
    reasons = list(dict.fromkeys(capital(escape(item.text)) for item in evidence))
    more = len(reasons) - _MOST_REASONS
    return reasons[:_MOST_REASONS] + ([f"and {more} more, see the explanation of this card"] if more > 0 else [])


STRENGTH_WORDS = {
    "option": "may be considered",
    "not-recommended": "not recommended",
    "insufficient-evidence": "evidence insufficient",
}
"""How a strength is printed where the word of the table is not the word of the source."""


def _advice(recommendations: Sequence[Recommendation]) -> list[str]:
    return [
        f"{capital(r.says)}: _{STRENGTH_WORDS.get(r.strength, r.strength)}_ ({_named(r.sources)})"
        + ("" if r.holds is Answer.YES else ", if the missing data confirm it")
        for r in recommendations
    ]


def _named(sources: Sequence[Source]) -> str:
    """The source that we read, and whom it cites."""
    first, *cited = [source.short for source in sources]
    return f"{first}, citing {listed(cited)}" if cited else first


def _options_table(options: Sequence[Option]) -> str:
    if not options:
        return ""
    return table(("Option", "Who says so, in their strength", "In this patient"), [_option_row(option) for option in options])


def _option_row(option: Option) -> tuple[str, str, str]:
    partners = dict.fromkeys(b.partner for b in option.backing if b.partner)
    name = option.title + (f", with {listed(list(partners))}" if partners else "")
    backers: dict[str, list[str]] = {}
    for backing in option.backing:
        words = [STRENGTH_WORDS.get(backing.strength, backing.strength), f"{backing.line} line" if backing.line != "any" else ""]
        said = ", ".join(word for word in (*words, backing.remark or "") if word)
        backers.setdefault(backing.source.short, []).append(said)
    said_by = [f"{source} ({'; '.join(dict.fromkeys(said))})" for source, said in backers.items()]
    chart = [f"caution: {caution.text} ({caution.source.short})" for caution in option.cautions]
    chart += [f"{reminder.text} ({reminder.source.short})" for reminder in option.reminders]
    if option.order_withheld:
        chart.append(option.order_withheld)
    return name, "; ".join(said_by), escape("; ".join(chart)) or "nothing against it on record"


def _disagreements(recommendations: Sequence[Recommendation], known: Knowledge) -> list[str]:
    codes = dict.fromkeys(code for r in recommendations for code in r.conflicts)
    disputes = [known.disputes[code].contradiction for code in codes]
    return [f"{capital(dispute.title)} ({dispute.id}): {' '.join(dispute.sides)}" for dispute in disputes]


def _cited(source: Source) -> str:
    year = f" ({source.year})" if source.year and str(source.year) not in source.citation else ""
    return f"{source.citation}{year}: {source.evidence}"


def options_of(recommendations: Iterable[Recommendation]) -> list[Option]:
    """All options, each once, in the order in which they were ranked."""
    ranked: dict[str, Option] = {}
    for recommendation in recommendations:
        for option in recommendation.options:
            ranked.setdefault(option.treatment, option)
    return sorted(ranked.values(), key=lambda option: option.rank)


def evidence_of(recommendations: Iterable[Recommendation]) -> tuple[Evidence, ...]:
    """Everything that the recommendations rest on, each once."""
    return tuple(dict.fromkeys(item for r in recommendations for item in r.because))


def missing_of(recommendations: Iterable[Recommendation]) -> tuple[Missing, ...]:
    """Everything that would help, each once."""
    asked = [item for r in recommendations for item in r.missing]
    withheld = [m for option in options_of(recommendations) for c in option.undecided for m in c.missing]
    return tuple({item.text: item for item in (*asked, *withheld)}.values())


def sources_of(recommendations: Iterable[Recommendation]) -> tuple[Source, ...]:
    """All sources, each once, in order of first use."""
    return tuple({source.id: source for r in recommendations for source in r.sources}.values())
