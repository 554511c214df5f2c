"""What a card says, in words: conclusion first, then options, reasons, what is missing, who disagrees, and the sources."""

from collections.abc import Iterable, Sequence

from cards.knowledge import Knowledge
from cards.markdown import bullets, capital, escape, listed, section, table
from cards.recommendation import URGENCIES, Caution, Option, Recommendation, Source
from fhir_profiles.findings import Answer, Evidence, Missing

LIMITS = (
    "_Decision support, not a medical device and not clinically validated. "
    "The sources are mostly expert opinion or low-grade evidence._"
)

STRENGTH_WORDS = {
    "option": "may be considered",
    "strongly-recommended": "strongly recommended",
    "conditionally-recommended": "conditionally recommended",
    "conditionally-against": "conditionally advised against",
    "strongly-against": "strongly advised against",
    "not-stated": "strength not stated",
    "not-recommended": "not recommended",
    "insufficient-evidence": "evidence insufficient",
    "gap": "a gap in the guidelines",
}
"""How a strength is printed where the word of the table is not the word of the source."""

LINE_WORDS = {
    "first": "first line",
    "second": "second line",
    "third": "third line",
    "adjunct": "adjunct",
    "maintenance": "maintenance",
    "maintenance-first": "first-line maintenance",
    "maintenance-second": "second-line maintenance",
    "maintenance-third": "third-line maintenance",
}
"""The line of treatment; a statement for any line names none."""

_CITES_OTHERS = "bmj-bp"
"""The one source that names the papers behind its statements."""

_MOST_REASONS = 8
_WHETHER_TAKEN = "; whether such a drug is being taken is not known"


def detail(recommendations: Sequence[Recommendation], missing: Sequence[Missing], known: Knowledge) -> str:
    """The card's detail, in Markdown.

    Args:
        recommendations: what the card says.
        missing: what would help, of these and of the statements that wait for it.
        known: the knowledge.
    """
    options = options_of(recommendations)
    standing = [option for option in options if option.not_offered is None]
    already = dict.fromkeys(escape(item.text) for r in recommendations for item in r.already)
    parts = [
        section("Advice", bullets(_advice(recommendations)) or _all_wait(recommendations)),
        section("Options that fit best", _options_table([o for o in standing if o.is_best_fit], known)),
        section(
            "Also named, more generally",
            bullets(_in_general([o for o in standing if not (o.is_best_fit or o.is_adjunct)], known)),
        ),
        section("Beside it", bullets(_in_general([o for o in standing if o.is_adjunct], known))),
        section("Not suggested", bullets(_set_aside([o for o in options if o.not_offered]))),
        section("Not ordered now", bullets(_held_back(recommendations))),
        section("Declined by the patient", bullets(_declined(recommendations))),
        section("Please note", bullets(dict.fromkeys(note for r in recommendations for note in r.notes))),
        section("Why", bullets(_reasons(evidence_of(recommendations)))),
        section("Already done or ordered", bullets(already)),
        section("Missing", bullets(capital(escape(item.text)) for item in missing[:_MOST_REASONS])),
        section("Where guidelines disagree", bullets(_disagreements(recommendations))),
        section("Sources", bullets(_cited(source) for source in sources_of(recommendations))),
        LIMITS,
    ]
    return "\n\n".join(part for part in parts if part)


def _advice(recommendations: Sequence[Recommendation]) -> list[str]:
    """The statements that no option and no note carries, the most urgent first."""
    in_order = sorted(recommendations, key=lambda r: URGENCIES.index(r.urgency))
    return [
        f"{capital(r.says)}: _{STRENGTH_WORDS.get(r.strength, r.strength)}_ ({_named(r.sources)})"
        + ("" if r.holds is Answer.YES else _WHETHER_TAKEN if r.warns_unread else ", if the missing data confirm it")
        for r in in_order
        if not r.options and not r.is_note
    ]


def _all_wait(recommendations: Sequence[Recommendation]) -> str:
    """A sentence where nothing can be told yet."""
    waits = not any(r.holds is Answer.YES for r in recommendations)
    return "None can be given before the missing data are known." if waits else ""


def _named(sources: Sequence[Source]) -> str:
    """The source that we read, and whom it cites."""
    first, *others = dict.fromkeys(source.short for source in sources)
    if not others:
        return first
    return f"{first}, citing {listed(others)}" if sources[0].id == _CITES_OTHERS else listed([first, *others])


def _options_table(options: Sequence[Option], known: Knowledge) -> str:
    if not options:
        return ""
    return table(
        ("Option", "Who says so, in their strength", "In this patient"), [_option_row(option, known) for option in options]
    )


def _option_row(option: Option, known: Knowledge) -> tuple[str, str, str]:
    partners = dict.fromkeys(b.partner for b in option.backing if b.partner)
    name = option.title + (f", with {listed(list(partners))}" if partners else "")
    backers: dict[str, list[str]] = {}
    for backing in option.backing:
        strength = STRENGTH_WORDS.get(backing.strength, backing.strength)
        words = (strength, LINE_WORDS.get(backing.line, ""), backing.remark or "")
        backers.setdefault(backing.source.short, []).append(", ".join(word for word in words if word))
    said_by = [f"{source} ({'; '.join(dict.fromkeys(said))})" for source, said in backers.items()]
    chart = [f"caution: {escape(text)}" for text in _by_source(option.cautions)] + [
        escape(t) for t in _by_source(option.reminders)
    ]
    if option.unchecked:
        chart.append(escape(option.unchecked.text))
    if option.order_withheld:
        chart.append(escape(option.order_withheld))
    return name, "; ".join(said_by), "; ".join(chart) or _nothing_found(option, known)


def _nothing_found(option: Option, known: Knowledge) -> str:
    """Silence is no clearance: it says so where no rule of ours is about the drug."""
    has_rules = any(option.treatment in rule.treatments for rule in known.safety)
    return "none of our rules speaks against it" if has_rules else "not checked here"


def _by_source(cautions: Sequence[Caution]) -> list[str]:
    """What each source raises, in one breath."""
    texts: dict[str, list[str]] = {}
    for caution in cautions:
        texts.setdefault(caution.source.short, []).append(caution.text)
    return [f"{', '.join(said)} ({source})" for source, said in texts.items()]


def _in_general(options: Sequence[Option], known: Knowledge) -> list[str]:
    """Options that fit less closely: who names them, and what speaks against them."""
    rows = [(option, _option_row(option, known)) for option in options]
    return [
        f"{name}: {said_by}" + (f"; {chart}" if option.cautions or option.order_withheld or option.unchecked else "")
        for option, (name, said_by, chart) in rows
    ]


def _set_aside(options: Sequence[Option]) -> list[str]:
    """Why an option is not suggested; what the chart raises against a drug that is being taken stays said."""
    return [
        f"{option.title}: {escape(option.not_offered or '')}"
        + "".join(f"; {caution.text} ({caution.source.short})" for caution in option.cautions)
        for option in options
    ]


def _held_back(recommendations: Sequence[Recommendation]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for title, reason in dict.fromkeys(pair for r in recommendations for pair in r.held_back):
        by_reason.setdefault(reason, []).append(title)
    return [f"{capital(listed(titles))}: {reason}" for reason, titles in by_reason.items()]


def _declined(recommendations: Sequence[Recommendation]) -> list[str]:
    texts = dict.fromkeys(item.text for r in recommendations for item in r.declined)
    return [f"{capital(escape(text))}; offer again only if the situation has changed" for text in texts]


def _reasons(evidence: Sequence[Evidence]) -> list[str]:
    reasons = list(dict.fromkeys(capital(escape(item.text)) for item in evidence))
    more = len(reasons) - _MOST_REASONS
    return reasons[:_MOST_REASONS] + ([f"and {more} more, see the explanation of this card"] if more > 0 else [])


def _disagreements(recommendations: Sequence[Recommendation]) -> list[str]:
    """Each once, the sides that fit the patient first."""
    disputes = {dispute.id: dispute for r in recommendations for dispute in r.disputes}
    return [f"{capital(dispute.title)} ({dispute.id}): {' '.join(dispute.lines)}" for dispute in disputes.values()]


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
    """Everything that would help, each once: first what keeps an option waiting."""
    recommendations = list(recommendations)
    standing = [option for option in options_of(recommendations) if option.not_offered is None]
    withheld = [m for option in standing for c in option.undecided for m in c.missing]
    asked = [item for r in recommendations for item in r.missing]
    return tuple({item.text: item for item in (*withheld, *asked)}.values())


def sources_of(recommendations: Iterable[Recommendation]) -> tuple[Source, ...]:
    """All sources, each once, in order of first use."""
    return tuple({source.id: source for r in recommendations for source in r.sources}.values())
