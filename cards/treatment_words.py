"""How each condition about treatments and drafts is said in words, held or not; `cards.condition_words` lists them."""

from collections.abc import Mapping
from typing import Any

from cards.markdown import listed, one_of
from cards.titles import Titles, names
from fhir_profiles.sentences import say


def _agents(value: Any, named: Titles) -> list[str]:
    return [named.definitions.agents[agent].title for agent in names(value)]


def failed(value: Any, holds: bool, named: Titles) -> str:
    """Every one of these courses failed."""
    agents = _agents(value, named)
    if len(agents) == 1:
        return say("{drug} has failed", drug=agents[0]) if holds else say("{drug} has not failed", drug=agents[0])
    drugs = listed(agents)
    return say("{drugs} have failed", drugs=drugs) if holds else say("{drugs} have not all failed", drugs=drugs)


def taking(value: Any, holds: bool, named: Titles) -> str:
    """Every one of these is being taken."""
    drugs, are_several = listed(_agents(value, named)), len(names(value)) > 1
    if holds:
        return say("{drugs} being taken", drugs=drugs)
    return say("{drugs} not all being taken", drugs=drugs) if are_several else say("{drug} not being taken", drug=drugs)


def tried(value: Any, holds: bool, named: Titles) -> str:
    """Every one of these was given."""
    drugs, are_several = listed(_agents(value, named)), len(names(value)) > 1
    if holds:
        return say("{drugs} tried, now or before", drugs=drugs)
    return say("{drugs} not all tried", drugs=drugs) if are_several else say("{drug} never tried", drug=drugs)


def not_tolerated(value: Any, holds: bool, named: Titles) -> str:
    """An intolerance of these is on record."""
    drugs = listed(_agents(value, named))
    return (
        say("intolerance of {drugs} on record", drugs=drugs) if holds else say("no intolerance of {drugs} on record", drugs=drugs)
    )


def daily_dose(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    """The dose of a current course."""
    (drug,), limit = _agents(value["of"], named), next(key for key in value if key != "of")
    dose = _bounded(limit, say("{number:g} mg", number=value[limit]), holds)
    return say("{drug}, {dose} a day", drug=drug, dose=dose)


def taken_weeks(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    """How long a current course has gone on."""
    (drug,), limit = _agents(value["of"], named), next(key for key in value if key != "of")
    weeks = _bounded(limit, say("{number:g} weeks", number=value[limit]), holds)
    return say("{drug} being taken for {weeks}", drug=drug, weeks=weeks)


def _bounded(limit: str, amount: str, holds: bool) -> str:
    """An amount under its limit, or where that does not hold under the opposite one."""
    match limit, holds:
        case ("over", True):
            return say("over {amount}", amount=amount)
        case ("over", False):
            return say("at most {amount}", amount=amount)
        case ("at_least", True) | ("under", False):
            return say("at least {amount}", amount=amount)
        case _:
            return say("under {amount}", amount=amount)


def _treatments(value: Any, named: Titles) -> list[str]:
    return [named.treatments.get(name, name) for name in names(value)]


def earlier_course(value: str, holds: bool, _: Titles) -> str:
    """What became of an earlier course of the very drug."""
    if value == "failed":
        return say("an earlier course of the drug failed") if holds else say("no earlier course of the drug failed")
    return say("an earlier course of the drug not tolerated") if holds else say("no earlier course of the drug not tolerated")


def given(value: Any, holds: bool, named: Titles) -> str:
    """One of these is taken or being written."""
    drugs = one_of(_treatments(value, named))
    if holds:
        return say("{drugs} taken or being written", drugs=drugs)
    return say("{drugs} neither taken nor being written", drugs=drugs)


def given_together(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    """So many of these are."""
    drugs, number = listed(_treatments(value["of"], named)), value["at_least"]
    if holds:
        return say("at least {number} of {drugs} taken or being written", number=number, drugs=drugs)
    return say("fewer than {number} of {drugs} taken or being written", number=number, drugs=drugs)


def drafted_times_a_week(value: Mapping[str, Any], holds: bool, _: Titles) -> str:
    """How often a week the draft is to be taken."""
    ((limit, number),) = value.items()
    times = say("once") if number == 1 else say("{number:g} times", number=number)
    return say("drafted for {times} a week", times=_bounded(limit, times, holds))


def taken_times_a_week(value: Mapping[str, Any], holds: bool, named: Titles) -> str:
    """How often a week a current course is taken."""
    (drug,), limit = _agents(value["of"], named), next(key for key in value if key != "of")
    times = say("once") if value[limit] == 1 else say("{number:g} times", number=value[limit])
    return say("{drug} taken {times} a week", drug=drug, times=_bounded(limit, times, holds))


def drafted_in_words(_: bool, holds: bool, __: Titles) -> str:
    """How often it is to be taken is written in words alone."""
    return say("drafted with its frequency in words alone") if holds else say("drafted without a frequency in words alone")


def drafted_prednisolone_mg(value: Mapping[str, Any], holds: bool, _: Titles) -> str:
    """The daily dose that the draft says."""
    ((limit, number),) = value.items()
    dose = _bounded(limit, say("{number:g} mg", number=number), holds)
    return say("drafted with {dose} of prednisolone a day", dose=dose)
