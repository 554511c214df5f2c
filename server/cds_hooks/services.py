"""The three services: one hook each (CDS Hooks 2.0.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.errors import UnknownServiceError


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service as discovery describes it.

    Args:
        id: the last part of its URL, stable.
        hook: the hook that calls it.
        title, description, usage: for the people who connect an EHR.
        is_about_orders: the hook tells which orders are being written.
    """

    id: str
    hook: str
    title: str
    description: str
    usage: str
    is_about_orders: bool


CHART_OPENED = "myositis-patient-view"
"""Id of the service that is called when a chart is opened."""

_DATA = (
    "Reads FHIR R4. Needs the patient's conditions; every other prefetch key makes the advice more certain, and what was not "
    "sent is named in the card. Not a medical device, not clinically validated."
)

_ALL = (
    Service(
        id=CHART_OPENED,
        hook="patient-view",
        title="Myositis: what the guidelines say for this patient",
        description=(
            "For a patient with an inflammatory myopathy: next-line therapy, lung function testing, tumour screening and more, "
            "each with its sources and what is missing. Silent for everybody else."
        ),
        usage=_DATA,
        is_about_orders=False,
    ),
    Service(
        id="myositis-order-select",
        hook="order-select",
        title="Myositis: the order being written",
        description="For a patient with an inflammatory myopathy: what guidelines and this chart say about the selected order.",
        usage=_DATA,
        is_about_orders=True,
    ),
    Service(
        id="myositis-order-sign",
        hook="order-sign",
        title="Myositis: the orders being signed",
        description="For a patient with an inflammatory myopathy: what guidelines and this chart say about the orders.",
        usage=_DATA,
        is_about_orders=True,
    ),
)

SERVICES: Mapping[str, Service] = {service.id: service for service in _ALL}
"""By id, in the order of discovery."""


def find_service(service_id: str) -> Service:
    """The service of an id.

    Args:
        service_id: as in the URL.

    Raises:
        UnknownServiceError: there is none.
    """
    if service_id not in SERVICES:
        raise UnknownServiceError("There is no service of that id. /cds-services lists them.")
    return SERVICES[service_id]
