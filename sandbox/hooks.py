"""The sandbox as a CDS Hooks client: discovery, prefetch, the call, and what came back (CDS Hooks 2.0.1)."""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.bundles import Json
from sandbox.charts import Chart
from sandbox.search import UnsupportedQueryError, answer

SERVICE_ID = "myositis-patient-view"
USER = "Practitioner/sandbox-clinician"
MINIMAL_INPUTS = frozenset(("Patient", "Condition", "MedicationRequest"))
TIMEOUT_SECONDS = (3, 10)
PREFETCH_TOKEN = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


class ServiceError(Exception):
    """The service gave no usable answer; the message says why in words for the person at the screen."""


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of the service.

    Args:
        request: the JSON that was sent.
        response: the JSON that came back.
        milliseconds: time between the two.
        left_out: prefetch key and why this EHR did not send it.
    """

    request: Json
    response: Json
    milliseconds: float
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> list[Json]:
        """The cards of the answer, in its order."""
        return list(self.response["cards"])


def view_patient(service_url: str, chart: Chart, only: frozenset[str] | None = None) -> HookCall:
    """Fire the patient-view hook, as an EHR does when a chart is opened.

    Args:
        service_url: base URL of the decision support service.
        chart: the patient.
        only: resource types to send; None sends all that the service asks for.

    Raises:
        ServiceError: the service cannot be reached, refuses, or does not answer with CDS Hooks JSON.
    """
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine must not see the calls, nor be needed for loopback
        service = _discover(session, service_url)
        prefetch, left_out = resolve_prefetch(_templates(service), chart, only)
        request = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": {"userId": USER, "patientId": chart.patient_id},
            "prefetch": prefetch,
        }
        started = time.perf_counter()
        response = _exchange(session, "POST", f"{service_url}/cds-services/{SERVICE_ID}", request)
        milliseconds = (time.perf_counter() - started) * 1000
    if not _has_objects(response, "cards"):
        raise ServiceError("The service answered, but its answer holds no list of cards.")
    return HookCall(request, response, milliseconds, left_out)


def resolve_prefetch(
    templates: Mapping[str, str], chart: Chart, only: frozenset[str] | None = None
) -> tuple[Json, dict[str, str]]:
    """Run the prefetch templates against the chart.

    Args:
        templates: FHIR query template by key, from discovery.
        chart: the patient.
        only: resource types to send; None for all.

    Returns:
        The prefetch by key, and why each other key was left out. An empty search is sent, as an empty Bundle.
    """
    prefetch: Json = {}
    left_out: dict[str, str] = {}
    for key, template in templates.items():
        resource_type = re.split(r"[/?]", template, maxsplit=1)[0]
        if only is not None and resource_type not in only:
            left_out[key] = f"{resource_type} is switched off"
            continue
        try:
            found = answer(fill_in(template, chart), chart)
        except UnsupportedQueryError as error:
            left_out[key] = str(error)
            continue
        if found is None:
            left_out[key] = "no such resource"
        else:
            prefetch[key] = found
    return prefetch, left_out


def fill_in(template: str, chart: Chart) -> str:
    """A prefetch template with its tokens replaced.

    Raises:
        UnsupportedQueryError: a token that this EHR does not know.
    """
    known = {
        "context.patientId": chart.patient_id,
        "context.userId": USER,
        "userPractitionerId": USER.removeprefix("Practitioner/"),
    }

    def value(token: re.Match[str]) -> str:
        if token[1] not in known:
            raise UnsupportedQueryError(f"prefetch token {token[1]} is not known")
        return known[token[1]]

    return PREFETCH_TOKEN.sub(value, template)


def _discover(session: requests.Session, service_url: str) -> Json:
    discovery = _exchange(session, "GET", f"{service_url}/cds-services")
    if not _has_objects(discovery, "services"):
        raise ServiceError("Discovery answered, but it holds no list of services.")
    services = [service for service in discovery["services"] if service.get("id") == SERVICE_ID]
    if not services:
        raise ServiceError(f"Discovery does not list the service {SERVICE_ID}.")
    return dict(services[0])


def _templates(service: Json) -> dict[str, str]:
    templates = service.get("prefetch", {})
    if not isinstance(templates, dict) or not all(isinstance(template, str) for template in templates.values()):
        raise ServiceError("Discovery answered, but its prefetch templates are not texts.")
    return templates


def _exchange(session: requests.Session, method: str, url: str, body: Json | None = None) -> Any:
    """One HTTP exchange of JSON; every way to fail becomes a sentence."""
    try:
        response = session.request(method, url, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.Timeout as error:
        raise ServiceError(f"The service did not answer in time ({url}).") from error
    except requests.RequestException as error:
        raise ServiceError(f"The service cannot be reached at {url}. Is it running?") from error
    try:
        answered = response.json()
    except requests.JSONDecodeError as error:
        raise ServiceError(f"The service answered {response.status_code} without JSON ({url}).") from error
    if response.status_code != requests.codes.ok:
        raise ServiceError(f"The service refused the call ({response.status_code}). {_outcome_in_words(answered)}".strip())
    return answered


def _outcome_in_words(answered: Any) -> str:
    """What an OperationOutcome says, empty for anything else."""
    if not _has_objects(answered, "issue"):
        return ""
    said = [issue.get("diagnostics") or issue.get("details", {}).get("text", "") for issue in answered["issue"]]
    return " ".join(text for text in said if text)


def _has_objects(answered: Any, member: str) -> bool:
    """Whether the JSON is an object whose member is a list of objects."""
    if not isinstance(answered, dict) or not isinstance(answered.get(member), list):
        return False
    return all(isinstance(item, dict) for item in answered[member])
