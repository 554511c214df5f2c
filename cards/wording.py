"""What a card says, in words: conclusion first, then reasons, options, what is missing, who disagrees, and the sources."""

from collections.abc import Iterable, Sequence

from cards.knowledge import Knowledge
from cards.markdown import bullets, capital, escape, fit, listed, section, table
from cards.recommendation import Option, Recommendation, Source
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer, Evidence, Missing

LIMITS = "_Decision support, not a medical device and not clinically validated. The sources are mostly expert opinion or low-grade evidence._"


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
    return fit(words(firm, assessment, known) if words else capital(_most_urgent(firm).says))


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
    return f"{line} for {disease}: {listed([option.title for option in options][:4], 'or')}"


def _primary_title(assessment: Assessment) -> str:
    confirmed = next((p for p in assessment.phenotypes if p.is_confirmed), assessment.primary)
    return confirmed.title if confirmed else "myositis"


def _order_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    first = _most_urgent(firm)
    if first.id == "sunderkotter-2016-pft-abnormal-pulmonology":
        return "Lung function is abnormal and no pulmonology referral is on record: further work-up is recommended"
    place = "in the data supplied" if first.missing else "on record"
    return f"No lung function test {place}: recommended for every patient with myositis ({first.sources[0].citation})"


def _screening_summary(firm: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    orders = list(dict.fromkeys(order for r in firm for order in r.orders))
    dermatomyositis = assessment.phenotype("anti-tif1-gamma-dermatomyositis") or assessment.phenotype("dermatomyositis")
    disease = dermatomyositis.title if dermatomyositis else "dermatomyositis"
    if not orders:
        return f"Tumour screening in {disease}: {firm[0].says}"
    titles = [known.orders[order]["title"].replace(" (alternative to CT)", "") for order in orders]
    for shown in range(len(titles), 0, -1):
        rest = len(titles) - shown
        names = listed(titles[:shown] + ([f"{rest} more"] if rest else []))
        sentence = f"Tumour screening in {disease}: {names} not on record"
        if fit(sentence) == sentence:
            return sentence
    return f"Tumour screening in {disease}: {len(titles)} tests not on record"


def detail(topic: str, recommendations: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> str:
    """The card's detail, in Markdown."""
    options = options_of(recommendations)
    parts = [
        section("Advice", bullets(_advice(recommendations, known))),
        section("Options", _options_table([o for o in options if o.not_offered is None])),
        section("Not suggested", bullets(f"{o.title}: {escape(o.not_offered)}" for o in options if o.not_offered)),
        section("Why", bullets(_reasons(evidence_of(recommendations)))),
        section(
            "Already done or ordered",
            bullets(dict.fromkeys(escape(item.text) for r in recommendations for item in r.already)),
        ),
        section("Please note", bullets(dict.fromkeys(note for r in recommendations for note in r.notes))),
        section("Missing", bullets(escape(item.text) for item in missing_of(recommendations))),
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


def _advice(recommendations: Sequence[Recommendation], known: Knowledge) -> list[str]:
    return [
        f"{capital(r.says)}: _{r.strength}_ ({listed([s.citation for s in r.sources][:2])})"
        + ("" if r.holds is Answer.YES else ", if the missing data confirm it")
        for r in recommendations
    ]


def _options_table(options: Sequence[Option]) -> str:
    if not options:
        return ""
    return table(
        ("Option", "Who says so, in their strength", "In this patient"), [_option_row(option) for option in options]
    )


def _option_row(option: Option) -> tuple[str, str, str]:
    partners = dict.fromkeys(b.partner for b in option.backing if b.partner)
    name = option.title + (f", with {listed(list(partners))}" if partners else "")
    backers: dict[str, str] = {}
    for backing in option.backing:
        line = f", {backing.line} line" if backing.line != "any" else ""
        remark = f"; {backing.remark}" if backing.remark else ""
        backers.setdefault(f"{backing.source.citation}: {backing.strength}{line}{remark}", "")
    chart = [f"caution: {caution.text}" for caution in option.cautions]
    if option.order_withheld:
        chart.append(option.order_withheld)
    return name, "; ".join(backers), escape("; ".join(chart)) or "nothing against it on record"


def _disagreements(recommendations: Sequence[Recommendation], known: Knowledge) -> list[str]:
    codes = dict.fromkeys(code for r in recommendations for code in r.conflicts)
    return [
        f"{capital(known.contradictions[code].title)} ({code}): {' '.join(known.contradictions[code].sides)}"
        for code in codes
    ]


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
