"""Days of a clinic: charts are opened, drafts signed, cards overridden for reasons and accepted, and time passes.

A model beside the service knows, from the rules in words (docs/feedback.md), which advice is quiet for whom. After every call the
cards are exactly those of the quiet model: no more than the cap, one critical at most, nothing again that was asked to be quiet
within its days, everything again after them, and what is critical or speaks against a draft always.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count

import pytest
import time_machine
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test

from cards.override_reasons import reasons
from cards.show import Show
from server.application import create_app
from server.evaluation import evaluate
from server.runtime import open_runtime
from tests.server.charts import ANTI_TIF1, AS_OF, Json, chart
from tests.server.conftest import CONFIG
from tests.server.feedback.conftest import SIGN, VIEW, ByName, Ehr, accepted, overridden, topic_of

DYSPHAGIA, PREGNANT = "nxp2-dermatomyositis-dysphagia", "dermatomyositis-pregnant"
"""The first has an emergency when the chart is opened, the second a contraindication when methotrexate is signed."""

CHARTS = (ANTI_TIF1, DYSPHAGIA)
CAP, LONGEST = 3, 30
"""Of the client: cards to an answer, and days of quiet."""

GENERATE = (Phase.reuse, Phase.generate)
"""Without looking for the shortest way to a fault, which would take minutes."""

DAYS = {one.code: one.quiet_days for one in reasons()}
BEGIN = datetime(2026, 11, 22, 8, tzinfo=UTC)
VISITS = (None, "visit-1", "visit-2")


@dataclass(frozen=True)
class Shown:
    """A card that somebody was shown."""

    patient: str
    card: Json
    path: str


@cache
def whole(slug: str) -> tuple[Json, ...]:
    """Every card of a chart, were nothing left out."""
    return evaluate([chart(slug)], as_of=AS_OF, seed="model", show=Show(cap=99)).cards


class Clinic(RuleBasedStateMachine):
    """See the module."""

    shown = Bundle("shown")

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(BEGIN, tick=False)
        self.time = self.clock.start()
        self.now = BEGIN
        runtime = replace(open_runtime(CONFIG), gate=ByName())
        self.ehr = Ehr(create_app(CONFIG, runtime=runtime).test_client(), {"X-Client": "three-cards"})
        self.order = count()
        self.words: dict[str, tuple[str, str, int, datetime | None]] = {}
        """By card: patient, topic, which word it was, and until when it asks for quiet; none for "speak again"."""

    def teardown(self) -> None:
        self.clock.stop()

    def is_quiet(self, patient: str, topic: str) -> bool:
        """Whether the latest word on some advice asks for quiet, and still does."""
        said = [(order, until) for who, what, order, until in self.words.values() if (who, what) == (patient, topic)]
        until = max(said)[1] if said else None
        return until is not None and until > self.now

    def expected(self, slug: str) -> list[str]:
        """Topics of the cards that there must be."""
        cards = whole(slug)
        kept = {"nextLineTherapy"} if any(card["indicator"] == "critical" for card in cards) else set()
        return [
            topic_of(card)
            for card in cards
            if card["indicator"] == "critical" or topic_of(card) in kept or not self.is_quiet(slug, topic_of(card))
        ][:CAP]

    @rule(target=shown, slug=st.sampled_from(CHARTS), visit=st.sampled_from(VISITS))
    def open_chart(self, slug: str, visit: str | None) -> object:
        """A chart is opened, in whichever visit; nobody is spared what was said in it before."""
        return multiple(*(Shown(slug, card, VIEW) for card in self.look(slug, visit)))

    @rule(target=shown, visit=st.sampled_from(VISITS))
    def sign_what_is_contraindicated(self, visit: str | None) -> object:
        """Methotrexate in pregnancy: whatever was said before, each draft is warned of, once and first."""
        cards = self.ehr.sign("methotrexate", PREGNANT, PREGNANT, **({"encounterId": visit} if visit else {}))
        assert (topic_of(cards[0]), cards[0]["indicator"]) == ("drugSafety", "critical")
        assert len(cards) <= CAP
        return multiple(*(Shown(PREGNANT, card, SIGN) for card in cards))

    @rule(shown=shown, reason=st.sampled_from((*sorted(DAYS), None)))
    def answer(self, shown: Shown, reason: str | None) -> None:
        """Quiet for as long as reason, weight of the card and client allow, a critical card for no time; no reason: accepted, and
        whoever follows the advice hears it again."""
        uuid, topic = shown.card["uuid"], topic_of(shown.card)
        if reason is None:
            self.send(shown, accepted(uuid, at=self.now.isoformat()))
            self.keep(shown, None)
        else:
            self.send(shown, overridden(uuid, {"code": reason}, at=self.now.isoformat()))
            longest = {"critical": 0, "warning": 7, "info": LONGEST}[shown.card["indicator"]]
            days = min(DAYS[reason], longest, 1 if topic == "drugSafety" else LONGEST)
            if days:
                self.keep(shown, self.now + timedelta(days=days))
            else:
                self.words.pop(uuid, None)
        if shown.patient in CHARTS:
            self.look(shown.patient)

    @rule(days=st.sampled_from((1, 6, 8, 25)), slug=st.sampled_from(CHARTS))
    def days_pass(self, days: int, slug: str) -> None:
        """Time goes on for everybody; then a chart is opened."""
        self.pass_time(timedelta(days=days))
        self.look(slug)

    def look(self, slug: str, visit: str | None = None) -> list[Json]:
        context = {"userId": "Practitioner/1", "patientId": slug} | ({"encounterId": visit} if visit else {})
        cards = self.ehr.open_chart(slug, slug, context=context)
        assert [topic_of(card) for card in cards] == self.expected(slug)
        assert [card["indicator"] for card in cards].count("critical") <= 1
        return cards

    def send(self, shown: Shown, item: Json) -> None:
        assert self.ehr.send(item, path=f"{shown.path}/feedback").status_code == 200

    def keep(self, shown: Shown, until: datetime | None) -> None:
        self.words[shown.card["uuid"]] = shown.patient, topic_of(shown.card), next(self.order), until
        self.pass_time(timedelta(seconds=1))

    def pass_time(self, time: timedelta) -> None:
        self.now += time
        self.time.move_to(self.now, tick=False)


@pytest.mark.requirement("SAF-21", "FB-01")
def test_in_whatever_order_a_clinic_works_few_cards_are_shown_and_none_again_too_soon_and_no_alarm_is_silenced() -> None:
    run_state_machine_as_test(Clinic, settings=settings(max_examples=6, stateful_step_count=14, deadline=None, phases=GENERATE))
