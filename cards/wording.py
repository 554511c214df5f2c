"""What a card says, in words: conclusion first, then options, reasons, what is missing, who disagrees, and the sources."""

import re
from collections.abc import Iterable, Sequence

from cards.knowledge import Knowledge
from cards.markdown import bullets, capital, escape, listed, section, table
from cards.recommendation import URGENCIES, Caution, Option, Recommendation, Source
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.sentences import join, say, say_number

LIMITS = say(
    "_Decision support, not a medical device and not clinically validated. "
    "The sources are mostly expert opinion or low-grade evidence._"
)

STRENGTH_WORDS = {
    "recommended": say("recommended"),
    "statement": say("statement"),
    "option": say("may be considered"),
    "strongly-recommended": say("strongly recommended"),
    "conditionally-recommended": say("conditionally recommended"),
    "conditionally-against": say("conditionally advised against"),
    "strongly-against": say("strongly advised against"),
    "not-stated": say("strength not stated"),
    "not-recommended": say("not recommended"),
    "insufficient-evidence": say("evidence insufficient"),
    "gap": say("a gap in the guidelines"),
    "contraindicated": say("contraindicated"),
    "warning": say("warning"),
    "reminder": say("reminder"),
}
"""How a strength is printed; the strength itself is the word of the table."""

LINE_WORDS = {
    "first": say("first line"),
    "second": say("second line"),
    "third": say("third line"),
    "adjunct": say("adjunct"),
    "maintenance": say("maintenance"),
    "maintenance-first": say("first-line maintenance"),
    "maintenance-second": say("second-line maintenance"),
    "maintenance-third": say("third-line maintenance"),
}
"""The line of treatment; a statement for any line names none."""

_CITES_OTHERS = "bmj-bp"
"""The one source that names the papers behind its statements."""

_MOST_REASONS = 8


def detail(
    recommendations: Sequence[Recommendation], missing: Sequence[Missing], known: Knowledge, waiting: Sequence[str] = ()
) -> str:
    """The card's detail, in Markdown.

    Args:
        recommendations: what the card says.
        missing: what would help, of these and of the statements that wait for it.
        known: the knowledge.
        waiting: names of the topics that have something to say, and are not shown beside a critical card.
    """
    options = options_of(recommendations)
    standing = [option for option in options if option.not_offered is None]
    already = dict.fromkeys(escape(item.text) for r in recommendations for item in r.already)
    parts = [
        section(say("Advice"), bullets(_advice(recommendations)) or _all_wait(recommendations)),
        section(say("Options that fit best"), _options_table([o for o in standing if o.is_best_fit], known)),
        section(
            say("Also named, more generally"),
            bullets(_in_general([o for o in standing if not (o.is_best_fit or o.is_adjunct)])),
        ),
        section(say("Beside it"), bullets(_in_general([o for o in standing if o.is_adjunct]))),
        section(say("Not suggested"), bullets(_set_aside([o for o in options if o.not_offered]))),
        section(say("Not ordered now"), bullets(_held_back(recommendations))),
        section(say("Declined by the patient"), bullets(_declined(recommendations))),
        section(say("Please note"), bullets(dict.fromkeys(note for r in recommendations for note in r.notes))),
        section(say("Why"), bullets(_reasons(evidence_of(recommendations)))),
        section(say("Already done or ordered"), bullets(already)),
        section(say("Held back while this is critical"), bullets(waiting)),
        section(say("Missing"), bullets(capital(escape(item.text)) for item in missing[:_MOST_REASONS])),
        section(say("Where guidelines disagree"), bullets(_disagreements(recommendations))),
        section(say("Sources"), bullets(_cited(source) for source in sources_of(recommendations))),
        LIMITS,
    ]
    return join("\n\n", [part for part in parts if part])


def _advice(recommendations: Sequence[Recommendation]) -> list[str]:
    """The statements that no option and no note carries, the most urgent first."""
    in_order = sorted(recommendations, key=lambda r: URGENCIES.index(r.urgency))
    ruled_out = [option.title for option in options_of(recommendations) if option.is_ruled_out]
    return [_advised(r, ruled_out) for r in in_order if not r.options and not r.is_note]


def _advised(said: Recommendation, ruled_out: Sequence[str]) -> str:
    """A statement in its strength, its sources, and what is open about it, and which of its drugs are ruled out here."""
    says = join(": ", (listed(said.avoid), said.says)) if said.avoid else said.says
    named = [] if said.is_against else [title for title in ruled_out if is_named(title, says)]
    if named:
        says = say("{says} (not suggested in this patient: {drugs})", says=says, drugs=listed(named))
    words = {"says": capital(says), "strength": strength_words(said.strength), "sources": _named(said.sources)}
    if said.holds is Answer.YES:
        return say("{says}: _{strength}_ ({sources})", **words)
    if said.warns_unread:
        return say("{says}: _{strength}_ ({sources}); whether such a drug is being taken is not known", **words)
    return say("{says}: _{strength}_ ({sources}), if the missing data confirm it", **words)


def is_named(title: str, text: str) -> bool:
    """Whether a text names a treatment; a drug for the skin is another treatment.

    Args:
        title: of the treatment, perhaps with an abbreviation in brackets: either is enough.
        text: of a statement.
    """
    names = "|".join(re.escape(name.strip(" )")) for name in title.split("("))
    return re.search(rf"(?<!\btopical )\b(?:{names})s?\b", text, re.IGNORECASE) is not None


def strength_words(strength: str) -> str:
    """A strength as it is printed; one that has no words of its own is its own word."""
    return STRENGTH_WORDS.get(strength, strength)


def _all_wait(recommendations: Sequence[Recommendation]) -> str:
    """A sentence where nothing can be told yet."""
    waits = not any(r.holds is Answer.YES for r in recommendations)
    return say("None can be given before the missing data are known.") if waits else ""


def _named(sources: Sequence[Source]) -> str:
    """The source that we read, and whom it cites."""
    first, *others = dict.fromkeys(source.short for source in sources)
    if not others:
        return first
    if sources[0].id == _CITES_OTHERS:
        return say("{source}, citing {others}", source=first, others=listed(others))
    return listed([first, *others])


def _options_table(options: Sequence[Option], known: Knowledge) -> str:
    if not options:
        return ""
    header = (say("Option"), say("Who says so, in their strength"), say("In this patient"))
    return table(header, [_option_row(option, known) for option in options])


def _option_row(option: Option, known: Knowledge) -> tuple[str, str, str]:
    return _name(option), _said_by(option), _raised(option) or _nothing_found(option, known)


def _name(option: Option) -> str:
    partners = listed(list(dict.fromkeys(b.partner for b in option.backing if b.partner)))
    return say("{treatment}, with {partners}", treatment=option.title, partners=partners) if partners else option.title


def _said_by(option: Option) -> str:
    """Each source with what it says, every wording once."""
    backers: dict[str, list[str]] = {}
    for backing in option.backing:
        words = (strength_words(backing.strength), LINE_WORDS.get(backing.line, ""), backing.remark or "")
        backers.setdefault(backing.source.short, []).append(join(", ", [word for word in words if word]))
    return join("; ", [_in_brackets(source, join("; ", list(dict.fromkeys(said)))) for source, said in backers.items()])


def _in_brackets(text: str, more: str) -> str:
    return say("{text} ({more})", text=text, more=more)


def _raised(option: Option) -> str:
    """What this patient's chart raises, as literal text."""
    chart = [say("caution: {caution}", caution=escape(text)) for text in _by_source(option.cautions)]
    withheld = (option.unchecked.text if option.unchecked else None, option.order_withheld)
    return join("; ", [*chart, *(escape(text) for text in (*_by_source(option.reminders), *withheld) if text)])


def _nothing_found(option: Option, known: Knowledge) -> str:
    """Silence is no clearance: it says so where no rule of ours is about the drug."""
    has_rules = any(option.treatment in rule.treatments for rule in known.safety)
    return say("none of our rules speaks against it") if has_rules else say("not checked here")


def unchecked_tests(option: Option, known: Knowledge) -> Iterable[str]:
    """The baseline tests that a reminder asks for: without them nobody has looked for what they would show."""
    asked = dict.fromkeys(order for caution in option.reminders for order in caution.orders)
    return (known.orders[order]["title"] for order in asked if known.orders[order]["resource"] == "ServiceRequest")


def _by_source(cautions: Sequence[Caution]) -> list[str]:
    """What each source raises, in one breath."""
    texts: dict[str, list[str]] = {}
    for caution in cautions:
        texts.setdefault(caution.source.short, []).append(caution.text)
    return [_in_brackets(join(", ", said), source) for source, said in texts.items()]


def _in_general(options: Sequence[Option]) -> list[str]:
    """Options that fit less closely: who names them, and what the chart raises; silence would read as a clearance."""
    return [_in_one_line(option) for option in options]


def _in_one_line(option: Option) -> str:
    said = [words for words in (_said_by(option), _raised(option)) if words]
    return join("", (_name(option), ": ", join("; ", said)))


def _set_aside(options: Sequence[Option]) -> list[str]:
    """Why an option is not suggested; what the chart raises against a drug that is being taken stays said."""
    return [
        join("", (option.title, ": ", join("; ", [escape(option.not_offered or ""), *map(_with_source, option.cautions)])))
        for option in options
    ]


def _with_source(caution: Caution) -> str:
    return _in_brackets(caution.text, caution.source.short)


def _held_back(recommendations: Sequence[Recommendation]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for title, reason in dict.fromkeys(pair for r in recommendations for pair in r.held_back):
        by_reason.setdefault(reason, []).append(title)
    return [join("", (capital(listed(titles)), ": ", reason)) for reason, titles in by_reason.items()]


def _declined(recommendations: Sequence[Recommendation]) -> list[str]:
    texts = dict.fromkeys(item.text for r in recommendations for item in r.declined)
    return [say("{declined}; offer again only if the situation has changed", declined=capital(escape(text))) for text in texts]


def _reasons(evidence: Sequence[Evidence]) -> list[str]:
    reasons = list(dict.fromkeys(capital(escape(item.text)) for item in evidence))
    more = len(reasons) - _MOST_REASONS
    if more <= 0:
        return reasons
    rest = say_number(
        "and {number} more, see the explanation of this card", "and {number} more, see the explanation of this card", more
    )
    return [*reasons[:_MOST_REASONS], rest]


def _disagreements(recommendations: Sequence[Recommendation]) -> list[str]:
    """Each once, the sides that fit the patient first."""
    disputes = {dispute.id: dispute for r in recommendations for dispute in r.disputes}
    return [
        say("{title} ({id}): {sides}", title=capital(one.title), id=one.id, sides=join(" ", one.lines))
        for one in disputes.values()
    ]


def _cited(source: Source) -> str:
    year = f" ({source.year})" if source.year and str(source.year) not in source.citation else ""
    return join("", (source.citation, f"{year}: ", source.evidence))


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
