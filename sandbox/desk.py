"""The desk of the clinician who tries the sandbox: open charts, drafts, and the cards that services gave.

The pages know this module and the charts, and nothing else: whatever a click means is said here. One desk to a sandbox.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from threading import Lock

from sandbox.answers import Answer, Decision
from sandbox.authorization.authorization import Authorization
from sandbox.chart_store import ChartStore
from sandbox.charts import Chart
from sandbox.clinic import PRACTITIONERS, encounter
from sandbox.desk_state import Asked, OpenChart, fingerprint
from sandbox.dialects import DIALECTS
from sandbox.errors import DeskError
from sandbox.feedback import accepted, deliver, overridden
from sandbox.fhir_parts import Json
from sandbox.hooks import Event, HookClient
from sandbox.keys import EhrKeys
from sandbox.links import link_of, with_launch
from sandbox.order_pad import Orderable, changed, find, new_draft, signed
from sandbox.services import Services
from sandbox.signing import Signer
from sandbox.suggestions import check_choice, check_fhir, effect_of, title_of
from sandbox.switches import Switches

__all__ = ["Answer", "Desk", "DeskError", "Orderable", "Review", "Switches", "title_of"]


@dataclass(frozen=True, slots=True)
class Review:
    """What came of a review.

    Args:
        answers: of the services.
        fingerprint: of the drafts that were sent; empty where they were asked about again before the answers came.
    """

    answers: Sequence[Answer]
    fingerprint: str


class Desk:
    """See the module. Every method that needs a patient raises `DeskError` for one who is not here.

    Threads may use it at the same time; services are waited for without holding anything up.
    """

    def __init__(
        self,
        url: str,
        services: Iterable[str],
        *,
        store: ChartStore,
        keys: EhrKeys,
        authorization: Authorization,
        today: Callable[[], date],
    ) -> None:
        """Set the desk up.

        Args:
            url: address of this EHR; its FHIR API is at `/fhir` below.
            services: discovery URLs, or base URLs, of the first services.
            store: the charts.
            keys: sign every call.
            authorization: gives out tokens for calling back, and launches.
            today: the clock, a day in UTC.
        """
        self.switches = Switches()
        signer = Signer(keys, url)
        self.services = Services(signer, services)
        self._hooks = HookClient(self.services, signer, authorization, f"{url}/fhir")
        self._store, self._today = store, today
        self._open: dict[str, OpenChart] = {}
        self._lock = Lock()

    def open_chart(self, patient_id: str) -> Sequence[Answer]:
        """Fire `patient-view` at every registered service that has it."""
        _, desk = self._chart(patient_id)
        with desk.lock:
            asked = desk.ask("patient-view")
        return self._fire(patient_id, desk, asked)[0]

    def fires(self, hook: str) -> bool:
        """Whether this EHR has a hook, as it speaks now."""
        return hook in DIALECTS[self.switches.dialect].hooks

    def answers(self, patient_id: str) -> Sequence[Answer]:
        """The last answers, of all hooks."""
        return self._chart(patient_id)[1].answers

    def orderables(self, words: str = "") -> Sequence[Orderable]:
        """What can be ordered and has these words in its title; everything for none."""
        return find(words)

    def drafts(self, patient_id: str) -> Sequence[Json]:
        """The drafts on the order pad, FHIR MedicationRequest and ServiceRequest."""
        return tuple(self._chart(patient_id)[1].pad.values())

    def draft(self, patient_id: str, key: str) -> Json:
        """Put an orderable on the pad."""
        chart, desk = self._chart(patient_id)
        draft = new_draft(chart.story, key, self._today())
        with desk.lock:
            desk.put(draft)
        return draft

    def change_draft(
        self, patient_id: str, draft_id: str, *, dose: str | None = None, route: str | None = None, note: str | None = None
    ) -> Json:
        """Change a draft: dose such as `15 mg weekly`, route by its key, a note. None leaves it, empty takes it away."""
        _, desk = self._chart(patient_id)
        with desk.lock:
            draft = changed(desk.draft(draft_id), dose=dose, route=route, note=note, today=self._today())
            desk.put(draft)
        return draft

    def discard(self, patient_id: str, draft_id: str) -> None:
        """Take a draft off the pad; with the last one, what was said about drafts goes too."""
        _, desk = self._chart(patient_id)
        with desk.lock:
            desk.take_off(draft_id)
            if not desk.pad:
                desk.receive(desk.ask("order-select"), ())

    def select(self, patient_id: str, draft_ids: Sequence[str]) -> Sequence[Answer]:
        """Fire `order-select` for the drafts just chosen or changed."""
        _, desk = self._chart(patient_id)
        if not draft_ids:
            raise DeskError("No draft was chosen.")
        with desk.lock:
            selections = [f"{desk.draft(one)['resourceType']}/{one}" for one in draft_ids]
            asked = desk.ask("order-select")
        return self._fire(patient_id, desk, asked, selections)[0]

    def review(self, patient_id: str) -> Review:
        """Fire `order-sign` for all drafts, before they are signed."""
        _, desk = self._chart(patient_id)
        with desk.lock:
            desk.require_drafts()
            asked = desk.ask("order-sign")
        answers, in_time = self._fire(patient_id, desk, asked)
        return Review(answers, asked.fingerprint if in_time else "")

    def reviewed(self, patient_id: str, drafts: Sequence[Json]) -> str:
        """Fingerprint of drafts if they are what was reviewed last, to be given to `sign`; else empty."""
        found = fingerprint(drafts)
        return found if drafts and self._chart(patient_id)[1].reviewed == found else ""

    def sign(self, patient_id: str, *, expected: str) -> Sequence[Json]:
        """Sign: the drafts become orders of the chart. The resources.

        Args:
            patient_id: whose.
            expected: fingerprint of the drafts that whoever signs has before them, from `review` or `reviewed`.

        Raises:
            DeskError: the drafts are others by now, or were not reviewed as they are.
        """
        _, desk = self._chart(patient_id)
        with desk.lock:
            desk.require_drafts()
            if not expected or {expected} != {desk.reviewed, fingerprint(desk.pad.values())}:
                raise DeskError("The drafts have changed since they were reviewed. Review them once more, then sign.")
            orders = self._order([signed(draft, self._today()) for draft in desk.pad.values()])
            desk.pad = {}
            desk.receive(desk.ask("order-select"), ())
        return orders

    def accept(self, patient_id: str, answer_id: str, card: int, suggestion: int) -> str:
        """Apply a suggestion to the pad or, from patient-view, to the chart; send feedback. Says what was done.

        Args:
            patient_id: whose chart is open.
            answer_id: our own name of the answer with the card.
            card, suggestion: their places, from 0.
        """
        _, desk = self._chart(patient_id)
        with desk.lock:
            answer, found = desk.undecided(answer_id, card)
            if found.fault:
                raise DeskError(f"This card {found.fault}, so nothing in it is applied.")
            before = answer.decisions.get(card, Decision("accepted"))
            chosen = check_choice(found, suggestion, before.taken)
            at_once = answer.hook == "patient-view"
            actions = [action.sent for action in chosen.actions]
            effect = effect_of(actions, desk.pad, patient_id, at_once=at_once, today=self._today())
            orders = tuple(f"{one['resourceType']}/{one['id']}" for one in self._order(effect.orders))
            desk.pad = effect.pad
            after = replace(before, taken=before.taken | {suggestion}, orders=(*before.orders, *orders))
            desk.note(answer_id, card, lambda _: after)
        item = accepted(found.uuid, [chosen.uuid], datetime.now(UTC))
        told = self._tell(desk, answer, card, item) if chosen.uuid else ()
        return " ".join((*effect.done, *told)) or "There was nothing to do."

    def override(self, patient_id: str, answer_id: str, card: int, reason: str, comment: str = "") -> None:
        """Dismiss a card with one of its reasons (code; may be empty) and a comment; send feedback.

        Whether the feedback arrived stands in `Decision.told`. For the other arguments see `accept`.
        """
        _, desk = self._chart(patient_id)
        with desk.lock:
            answer, found = desk.undecided(answer_id, card)
            if card in answer.decisions:
                raise DeskError("A suggestion of this card was taken, so it is not dismissed.")
            if not found.may_be_overridden:
                raise DeskError(f"This card {found.fault}, and has no uuid, so there is nothing to tell the service about it.")
            chosen = next((one for one in found.reasons if one.code == reason), None)
            if reason and chosen is None:
                raise DeskError("This card has no such reason.")
            words = (chosen.display or chosen.code) if chosen else ""
            desk.note(answer_id, card, lambda _: Decision("overridden", words))
        coding, said = chosen.sent if chosen else None, comment.strip()
        self._tell(desk, answer, card, overridden(found.uuid, coding, said, datetime.now(UTC), DIALECTS[answer.dialect]))

    def launch_url(self, patient_id: str, answer_id: str, card: int, link: int) -> str:
        """Where the browser goes to open the card's SMART link: its URL with `iss` and a new `launch`; see `accept`."""
        _, desk = self._chart(patient_id)
        answer, found = desk.find(answer_id, card)
        chosen = link_of(found, link)
        if chosen.type != "smart":
            return chosen.url
        app_context = chosen.app_context if DIALECTS[answer.dialect].app_context else None
        launch = self._hooks.authorization.launch(patient_id, app_context=app_context)
        return with_launch(chosen.url, self._hooks.fhir_server, launch)

    def forget(self, patient_id: str) -> None:
        """Clear the pad and the cards of one patient, as after a reset of the chart."""
        self._chart(patient_id)
        with self._lock:
            self._open.pop(patient_id, None)

    def _order(self, orders: Sequence[Json]) -> Sequence[Json]:
        """Put orders on the chart: all of them, or none."""
        for order in orders:
            check_fhir(order)
        done: list[Json] = []
        try:
            for order in orders:
                done.append(self._store.create(order))
        except ValueError as error:
            for order in done:
                self._store.delete(order["resourceType"], order["id"])
            raise DeskError(f"An order is not written as FHIR has it, so nothing was ordered: {error}.") from error
        return done

    def _chart(self, patient_id: str) -> tuple[Chart, OpenChart]:
        chart = self._store.chart(patient_id)
        if chart is None:
            raise DeskError("There is no such patient here.")
        with self._lock:
            return chart, self._open.setdefault(patient_id, OpenChart())

    def _fire(
        self, patient_id: str, desk: OpenChart, asked: Asked, selections: Sequence[str] | None = None
    ) -> tuple[Sequence[Answer], bool]:
        """The answers, and whether they came in time."""
        switches = self.switches
        chart, _ = self._chart(patient_id)
        orders = None if asked.hook == "patient-view" else tuple(asked.pad.values())
        data = self._with_clinic(self._another(patient_id) if switches.wrong_patient else chart)
        answers = self._hooks.fire(Event(asked.hook, chart, data, orders, selections), switches)
        with desk.lock:
            return answers, desk.receive(asked, answers)

    def _another(self, patient_id: str) -> Chart:
        """Some other patient's chart."""
        return next(chart for chart in self._store.charts() if chart.patient_id != patient_id)

    def _with_clinic(self, chart: Chart) -> Chart:
        """A chart with the visit and the people that a template may ask for."""
        return Chart(chart.story, (*chart.resources, encounter(chart.story, self._today()), *PRACTITIONERS))

    def _tell(self, desk: OpenChart, answer: Answer, card: int, item: Json) -> Sequence[str]:
        """Send feedback on a card that the service gave a uuid (conformance C-3); a sentence where it could not be delivered."""
        dialect = DIALECTS[answer.dialect]
        if not dialect.feedback or not item["card"]:
            return ()
        url = f"{answer.url}/feedback"
        result = deliver(url, item, lambda: self._hooks.signer.token_for(url, dialect))
        with desk.lock:
            desk.note(answer.id, card, lambda decision: replace(decision or Decision(item["outcome"]), told=result))
        return () if result == "sent" else (result,)
