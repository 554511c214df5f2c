"""Refusals: what was not done because the patient declined it (unmet-patient-preference of the review).

Only a resource that names what was declined, and whose status reason says that the patient declined it, is a refusal. "Not done"
alone says neither who decided nor why, and is no fact.
"""

from collections.abc import Set

from fhir_profiles.chart import Chart, Coded
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element
from fhir_profiles.record import Refusal

_REASONS = ("statusReason", "reasonNotGiven")
"""`reasonNotGiven` is how MedicationAdministration called it before R4; some senders kept the name."""
_ANY_OF_A_CLASS = "_any"
"""Who declined one drug has not declined its class."""


def read_refusal(
    element: Element, what: Coded, statuses: Set[str], when: DateInterval | None, chart: Chart, route: str | None = None
) -> None:
    """File a refusal, if that is what the resource says.

    Args:
        element: the resource.
        what: the meaning of the code of what was not done.
        statuses: status codes under which a reason may say that the patient declined.
        when: the day that the resource gives for it.
        chart: where the refusal is filed.
        route: of a drug.
    """
    is_order_not_to = element.content.get("doNotPerform", False) is not False
    if not what.concepts or element.code("status") not in statuses or is_order_not_to or not _is_declined(element, chart):
        return
    if chart.is_sound(element) and not chart.is_future(element, when):
        named = tuple(concept for concept in what.concepts if not concept.endswith(_ANY_OF_A_CLASS)) or what.concepts
        chart.refusals.append(
            Refusal(
                reference=element.reference,
                concepts=named,
                when=when,
                matched_by_text=what.by_text,
                title=chart.terminology.title(named[0]),
                route=route,
            )
        )


def _is_declined(element: Element, chart: Chart) -> bool:
    reasons = [reason for field in _REASONS for reason in element.children(field)]
    return any("patient_refusal" in chart.meaning(reason.content).concepts for reason in reasons)
