"""Treatment options side by side: who says so in their own strength, and what this patient's chart raises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cards.knowledge import Knowledge
from cards.markdown import listed
from cards.recommendation import Backing, Caution, Option, Recommendation
from cards.wording import LINE_WORDS, options_of, strength_words, unchecked_tests
from fhir_profiles.findings import Answer
from fhir_profiles.sentences import say
from server.patient_page.facts import Fact, begin, facts
from server.patient_page.statements import guideline_link


@dataclass(frozen=True, slots=True)
class Backed:
    """Who says so: the source, in its strength, for which line, with what remark, and where that is explained."""

    source: str
    strength: str
    line: str
    partner: str
    remark: str
    link: str


@dataclass(frozen=True, slots=True)
class Raised:
    """What a drug-safety rule raises about the option.

    Args:
        text, source, link: what it says, who says so, and where that is explained.
        instead: what may be used in its place in this patient, or empty.
        because: the resources of the chart that it rests on.
        missing: what would decide it, where it is not decided.
    """

    text: str
    source: str
    link: str
    instead: str
    because: tuple[Fact, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option.

    Args:
        title: in words.
        partners: what it goes with.
        backed: who says so, best fit first.
        cautions, reminders: what this patient's chart raises, and what goes with the drug.
        undecided: rules against it that a missing datum leaves open.
        unchecked: what could not be checked.
        not_offered: why it is set aside.
        order_withheld: why no order is made ready.
        has_order: there is a ready-made order for it.
        is_unruled: no rule of ours is about the drug, so that silence is no clearance.
        not_checked: baseline tests that are not on record, so that silence is no clearance either; or empty.
    """

    title: str
    partners: tuple[str, ...]
    backed: tuple[Backed, ...]
    cautions: tuple[Raised, ...]
    reminders: tuple[Raised, ...]
    undecided: tuple[Raised, ...]
    unchecked: str
    not_offered: str
    order_withheld: str
    has_order: bool
    is_unruled: bool
    not_checked: str

    @property
    def is_unopposed(self) -> bool:
        """Nothing that we have a rule for speaks against it, and nothing is left open."""
        return not (self.cautions or self.undecided or self.unchecked or self.not_offered or self.is_unruled)


@dataclass(frozen=True, slots=True)
class Group:
    """Options that stand in the same place."""

    title: str
    code: str
    rows: tuple[OptionRow, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The options of one topic."""

    topic: str
    code: str
    groups: tuple[Group, ...]


def comparisons(recommendations: Sequence[Recommendation], known: Knowledge) -> tuple[Comparison, ...]:
    """All options by topic, in the order of topics; best fit first, those set aside last."""
    backing = [r for r in recommendations if r.options]
    codes = sorted({r.topic for r in backing}, key=lambda code: known.topics[code].rank)
    return tuple(
        Comparison(known.topics[code].display, code, tuple(_groups(options_of(_firm_first(backing, code)), known)))
        for code in codes
    )


def _firm_first(backing: Sequence[Recommendation], topic: str) -> list[Recommendation]:
    """What holds decides how an option is shown; of what waits only the options are left that are set aside whatever comes."""
    return sorted((r for r in backing if r.topic == topic), key=lambda r: r.holds is not Answer.YES)


def _groups(options: Sequence[Option], known: Knowledge) -> Iterable[Group]:
    standing = [option for option in options if option.not_offered is None]
    parts = (
        (say("Fits best"), "best", [o for o in standing if o.is_best_fit]),
        (say("Also named, more generally"), "general", [o for o in standing if not (o.is_best_fit or o.is_adjunct)]),
        (say("Beside it"), "beside", [o for o in standing if o.is_adjunct]),
        (say("Not suggested for this patient"), "aside", [o for o in options if o.not_offered is not None]),
    )
    return (Group(title, code, tuple(_row(option, known) for option in part)) for title, code, part in parts if part)


def _row(option: Option, known: Knowledge) -> OptionRow:
    return OptionRow(
        title=begin(option.title),
        partners=tuple(dict.fromkeys(b.partner for b in option.backing if b.partner)),
        backed=tuple(dict.fromkeys(_backed(backing, known) for backing in option.backing)),
        cautions=tuple(_raised(caution, known) for caution in option.cautions),
        reminders=tuple(_raised(caution, known) for caution in option.reminders),
        undecided=tuple(_raised(caution, known) for caution in option.undecided),
        unchecked=begin(option.unchecked.text) if option.unchecked else "",
        not_offered=begin(option.not_offered) if option.not_offered else "",
        order_withheld=begin(option.order_withheld) if option.order_withheld else "",
        has_order=known.treatments[option.treatment].order is not None,
        is_unruled=not any(option.treatment in rule.treatments for rule in known.safety),
        not_checked=listed(list(unchecked_tests(option, known))),
    )


def _backed(backing: Backing, known: Knowledge) -> Backed:
    return Backed(
        source=backing.source.dated,
        strength=strength_words(backing.strength),
        line=LINE_WORDS.get(backing.line, ""),
        partner=backing.partner or "",
        remark=backing.remark or "",
        link=guideline_link(backing.recommendation, known),
    )


def _raised(caution: Caution, known: Knowledge) -> Raised:
    return Raised(
        text=begin(caution.text),
        source=caution.source.dated,
        link=guideline_link(caution.id, known),
        instead=caution.instead if caution.is_certain and caution.instead else "",
        because=facts(item for item in caution.because if item.reference),
        missing=tuple(begin(item.text) for item in caution.missing) if not caution.is_certain else (),
    )
