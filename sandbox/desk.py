"""The desk of the clinician who tries the sandbox: open charts, drafts, and the cards that services gave.

The pages know this module and the charts, and nothing else: whatever a click means is said here. One desk to a sandbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.bundles import Json


class DeskError(Exception):
    """What was asked for cannot be done; the message says why, for the person at the screen."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What goes wrong, or otherwise than usual, while one tries things out.

    Args:
        prefetch: `all`, `minimal` (Patient, Condition and MedicationRequest) or `none` (the service has to call back).
        token: send an access token for calling back.
        fault: a kind of `sandbox.faults` that the FHIR API suffers from, or empty.
        wrong_patient: send another patient's data under this patient's id.
        dialect: how this EHR speaks CDS Hooks: `standard`, `epic`, `oracle`, `1.0` …
    """

    prefetch: str = "all"
    token: bool = True
    fault: str = ""
    wrong_patient: bool = False
    dialect: str = "standard"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service answered to one hook.

    Args:
        service: title of the service, and its id.
        service_id: as discovery has it.
        hook: `patient-view`, `order-select` or `order-sign`.
        request, response: the JSON of both; the response is None where there was trouble.
        headers: that were sent, the token shortened.
        milliseconds: between the two.
        server_timing: phases and milliseconds, from the header of that name.
        prefetch: state of each key: sent, empty, left out and why.
        trouble: why there is no answer, in a sentence; empty where there is one.
        decided: by uuid of card, what the clinician did: `accepted`, or the reason of the override.
    """

    service: str
    service_id: str
    hook: str
    request: Json
    response: Json | None
    headers: Mapping[str, str] = field(default_factory=dict)
    milliseconds: float = 0.0
    server_timing: Mapping[str, float] = field(default_factory=dict)
    prefetch: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    decided: Mapping[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> Sequence[Json]:
        """The cards, in their order."""
        return self.response["cards"] if self.response else ()


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


class Desk:
    """See the module. Every method that needs a patient raises `DeskError` for one who is not here."""

    switches: Switches

    def open_chart(self, patient_id: str) -> Sequence[Answer]:
        """Fire `patient-view` at every registered service that has it."""
        raise NotImplementedError

    def answers(self, patient_id: str) -> Sequence[Answer]:
        """The last answers, of all hooks."""
        raise NotImplementedError

    def orderables(self, words: str = "") -> Sequence[Orderable]:
        """What can be ordered and has these words in its title; everything for none."""
        raise NotImplementedError

    def drafts(self, patient_id: str) -> Sequence[Json]:
        """The drafts on the order pad, FHIR MedicationRequest and ServiceRequest."""
        raise NotImplementedError

    def draft(self, patient_id: str, key: str) -> Json:
        """Put an orderable on the pad."""
        raise NotImplementedError

    def change_draft(self, patient_id: str, draft_id: str, *, dose: str = "", route: str = "", note: str = "") -> Json:
        """Change a draft: dose such as `15 mg weekly`, route by its key, a note."""
        raise NotImplementedError

    def discard(self, patient_id: str, draft_id: str) -> None:
        """Take a draft off the pad."""
        raise NotImplementedError

    def select(self, patient_id: str, draft_ids: Sequence[str]) -> Sequence[Answer]:
        """Fire `order-select` for the drafts just chosen or changed."""
        raise NotImplementedError

    def review(self, patient_id: str) -> Sequence[Answer]:
        """Fire `order-sign` for all drafts, before they are signed."""
        raise NotImplementedError

    def sign(self, patient_id: str) -> Sequence[Json]:
        """Sign: the drafts become orders of the chart. The resources."""
        raise NotImplementedError

    def accept(self, patient_id: str, card: str, suggestion: str) -> str:
        """Apply a suggestion (by uuids) to the pad or, from patient-view, to the chart; send feedback. Says what was done."""
        raise NotImplementedError

    def override(self, patient_id: str, card: str, reason: str, comment: str = "") -> None:
        """Dismiss a card with one of its reasons (code; may be empty) and a comment; send feedback."""
        raise NotImplementedError

    def launch_url(self, patient_id: str, card: str, link: int) -> str:
        """Where the browser goes to open the card's SMART link: its URL with `iss` and a new `launch`."""
        raise NotImplementedError
