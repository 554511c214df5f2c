"""The "what if …?" of the page: what is supposed in its address, what that would change, and what else can be supposed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from fhir_profiles.hypotheses import Supposition, hypotheses
from fhir_profiles.sentences import say
from server.patient_page.difference import Difference
from server.patient_page.missing_data import difference_of
from server.patient_page.opened import Opened
from server.patient_page.supposing import Asked, asked_by, can_suppose


@dataclass(frozen=True, slots=True)
class Chosen:
    """One supposition that stands, and the address words of the others."""

    words: str
    reference: str
    others: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be supposed: its words in the address, and for people."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Everything about suppositions.

    Args:
        chosen: what is supposed now.
        words: all of it, as it stands in the address.
        changed: what that would change; None where nothing is supposed.
        has_unknown: the address supposes something that cannot be supposed; it was left out.
        choices: what can be supposed, by title of its group; empty where nothing can.
    """

    chosen: tuple[Chosen, ...]
    words: str
    changed: Difference | None
    has_unknown: bool
    choices: tuple[tuple[str, tuple[Choice, ...]], ...]


def what_if(opened: Opened, query: Mapping[str, str]) -> WhatIf:
    """Evaluate what the address of the page supposes.

    Args:
        opened: the patient.
        query: of the page: `suppose`, and `and` for one more.
    """
    asked = asked_by(query) if can_suppose(opened) else Asked()
    return WhatIf(
        chosen=tuple(Chosen(_words(one), one.reference, asked.without(one).words) for one in asked.supposed),
        words=asked.words,
        changed=difference_of(opened, *asked.supposed) if asked.supposed else None,
        has_unknown=asked.has_unknown,
        choices=_choices(opened) if can_suppose(opened) else (),
    )


_OF_WOMEN = ("pregnancy", "breastfeeding")


def _choices(opened: Opened) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    hidden = _OF_WOMEN if opened.evaluation.record.sex == "male" else ()
    asked = [hypothesis for hypothesis in hypotheses().values() if hypothesis.id not in hidden]
    by_group = groupby(asked, lambda hypothesis: hypothesis.group)
    return tuple(
        (
            group,
            tuple(
                Choice(supposed.id, _words(supposed))
                for hypothesis in of_group
                for answer in hypothesis.answers.values()
                for supposed in [Supposition(hypothesis, answer)]
            ),
        )
        for group, of_group in by_group
    )


def _words(supposed: Supposition) -> str:
    return say("{datum}: {answer}", datum=supposed.hypothesis.title, answer=supposed.answer.title)
