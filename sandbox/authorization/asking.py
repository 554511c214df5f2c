"""The page on which a clinician logs in, chooses a patient, and says what an app may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.authorization.records import Consent, Launch
from sandbox.authorization.scopes import in_words, may_be_cut, needs_patient
from sandbox.authorization.smart_apps import SmartApp
from sandbox.bundles import Json
from sandbox.charts import Chart
from sandbox.clinic import PRACTITIONERS, name_of, practitioner


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        app: that wants to be connected.
        scopes: that it asks for and may have.
        launch: from the chart; None for a standalone launch.
        redirect_uri: where the answer goes.
    """

    app: SmartApp
    scopes: tuple[str, ...]
    launch: Launch | None
    redirect_uri: str

    @property
    def answered_already(self) -> Consent | None:
        """The consent of somebody who opened the app from a chart while logged in."""
        if self.launch and self.launch.user:
            return Consent(self.launch.user, self.scopes, self.launch.patient, self.launch)
        return None

    @property
    def picks_patient(self) -> bool:
        """Whether a patient has to be chosen."""
        return self.launch is None and needs_patient(self.scopes)

    @property
    def redirect_origin(self) -> str:
        """Origin of the app, to which the form of the page leads in the end."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def view(self, charts: Sequence[Chart]) -> Json:
        """What the template shows."""
        return {
            "app": self.app,
            "practitioners": [(person["id"], name_of(person)) for person in PRACTITIONERS],
            "patients": [chart.story for chart in charts] if self.picks_patient else [],
            "patient": next((chart.story for chart in charts if self.launch and chart.patient_id == self.launch.patient), None),
            "scopes": [(scope, in_words(scope)) for scope in self.scopes if may_be_cut(scope)],
        }

    def consent(self, form: Mapping[str, str], kept: Sequence[str], charts: Sequence[Chart]) -> Consent | None:
        """The consent that a form means; None where something in it is missing or is nobody here.

        Args:
            form: of the page.
            kept: the scopes that are ticked.
            charts: to choose the patient from.
        """
        user = practitioner(form.get("practitioner", ""))
        patient = self.launch.patient if self.launch else None
        if self.picks_patient:
            patient = next((chart.patient_id for chart in charts if chart.patient_id == form.get("chosen_patient")), None)
        scopes = tuple(scope for scope in self.scopes if not may_be_cut(scope) or scope in kept)
        if user is None or (self.picks_patient and patient is None) or not scopes:
            return None
        return Consent(user["id"], scopes, patient, self.launch)


def question_of(grant: Any, launch: Launch | None, cut: Sequence[str]) -> Question:
    """What a valid authorization request asks.

    Args:
        grant: Authlib's grant, after it has validated the request.
        launch: that the request names.
        cut: scopes that are silently left out.
    """
    scopes = tuple(scope for scope in grant.request.scope.split() if scope not in cut)
    return Question(grant.request.client, scopes, launch, grant.redirect_uri)
