"""The order pad: what can be ordered, and the drafts of one patient.

Drafts are FHIR MedicationRequests and ServiceRequests, written as the lines of a story are; nothing of them is on the chart
before they are signed.
"""

import csv
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from sandbox import fhir_parts as fhir
from sandbox.bundles import write_line
from sandbox.codes import read_codes
from sandbox.errors import DeskError
from sandbox.fhir_parts import CLINICIAN, Json
from sandbox.story import MedicationLine, OrderLine, Story

ORDERABLES_FILE = Path(__file__).with_name("orderables.csv")
ORDER_TYPES = ("MedicationRequest", "ServiceRequest")
ROUTES = ("route_oral", "route_subcutaneous", "route_intravenous")
"""Keys of `codes.csv`."""


@dataclass(frozen=True, slots=True)
class Orderable:
    """Something that can be ordered.

    Args:
        key: stable name, of `sandbox/codes.csv`.
        title: in words.
        kind: `medication`, `laboratory`, `imaging`, `procedure` or `referral`.
    """

    key: str
    title: str
    kind: str


@cache
def orderables(path: Path = ORDERABLES_FILE) -> Mapping[str, Orderable]:
    """Everything that can be ordered, by key.

    Args:
        path: a CSV file with the columns key and kind; the words are those of `codes.csv`.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return {row["key"]: Orderable(row["key"], read_codes()[row["key"]].text, row["kind"]) for row in csv.DictReader(file)}


def find(words: str) -> tuple[Orderable, ...]:
    """What has all these words in its title, or in the name that a terminology gives it; everything for none."""
    wanted = words.casefold().split()
    return tuple(one for one in orderables().values() if all(word in _names(one.key) for word in wanted))


@cache
def _names(key: str) -> str:
    concept = read_codes()[key]
    return " ".join((concept.text, *(coding.display for coding in concept.codings))).casefold()


def new_draft(patient: Story, key: str, today: date) -> Json:
    """A draft of an orderable.

    Args:
        patient: for whom.
        key: of the orderable.
        today: when.

    Raises:
        DeskError: there is none with this key.
    """
    if key not in orderables():
        raise DeskError("There is nothing to order under this name.")
    day = today.isoformat()
    is_drug = orderables()[key].kind == "medication"
    line = MedicationLine(what=key, start=day) if is_drug else OrderLine(what=key, on=day)
    return with_id(write_line(line, patient, read_codes()) | {"status": "draft"})


def with_id(draft: Json) -> Json:
    """A draft with an id of its own."""
    return {"resourceType": draft["resourceType"], "id": f"draft-{uuid.uuid4().hex[:12]}"} | {
        name: value for name, value in draft.items() if name not in ("resourceType", "id")
    }


def changed(draft: Json, *, dose: str | None, route: str | None, note: str | None, today: date) -> Json:
    """A draft with another dose, route or note: what is None stays as it was, and what is empty is taken away.

    Args:
        draft: as it is.
        dose: such as `15 mg weekly`; other words stay words.
        route: one of `ROUTES`.
        note: in words.
        today: when the course would begin.

    Raises:
        DeskError: a route that there is not, or a dose or route for something else than a drug.
    """
    after = dict(draft)
    if dose is not None or route is not None:
        if draft["resourceType"] != "MedicationRequest":
            raise DeskError("Only a drug has a dose and a route.")
        after["dosageInstruction"] = [_instruction(draft, dose, route, today)]
    if note is not None:
        after.pop("note", None)
        after |= fhir.present(note=fhir.note(note))
    return after


def _instruction(draft: Json, dose: str | None, route: str | None, today: date) -> Json:
    if route and route not in ROUTES:
        raise DeskError(f"There is no such route. Choose one of: {', '.join(ROUTES)}.")
    before, *_ = draft.get("dosageInstruction") or [{}]
    kept = fhir.present(route=before.get("route"))
    if dose is not None and dose != before.get("text", ""):
        before = fhir.dosage(dose, {"start": today.isoformat()})
    if route is not None:
        kept = fhir.present(route=fhir.codeable(read_codes()[route]) if route else None)
    return {name: value for name, value in before.items() if name != "route"} | kept


def signed(draft: Json, today: date) -> Json:
    """The order that a draft becomes: active, from today, without the id of the draft.

    Args:
        draft: from the pad.
        today: when it is signed.
    """
    day = today.isoformat()
    order = {name: value for name, value in draft.items() if name not in ("id", "meta")}
    order |= {"status": "active", "intent": "order", "authoredOn": day, "requester": draft.get("requester", CLINICIAN)}
    if order["resourceType"] == "MedicationRequest":
        order["dosageInstruction"] = [_from_today(one, day) for one in draft.get("dosageInstruction") or [{}]]
    return order


def _from_today(instruction: Json, day: str) -> Json:
    """The instruction with the day on which the course begins, as every course of a chart has it."""
    timing = instruction.get("timing", {})
    return instruction | {"timing": timing | {"repeat": timing.get("repeat", {}) | {"boundsPeriod": {"start": day}}}}
