"""Suggested orders, as drafts: FHIR R4 ServiceRequest and MedicationRequest from templates that are proved once, at start.

Each template is validated with `fhir.resources` R4B before the first request is served; a request then only fills in patient,
reason and recommendation (design section 6). No dose: no source gives one for these drugs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cards.knowledge import Knowledge
from cards.verdicts import RuleError
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Standing
from fhir_profiles.investigations import Investigation
from fhir_profiles.sentences import join, say
from fhir_profiles.systems import CANONICAL


def build_order(
    key: str, recommendations: Iterable[str], patient_id: str, reasons: Iterable[str], known: Knowledge
) -> dict[str, Any]:
    """A draft order for one patient.

    Args:
        key: order key in `orders.yaml`.
        recommendations: ids of the statements that ask for it.
        patient_id: FHIR id.
        reasons: references of the Conditions that it is for.
        known: the knowledge.

    Returns:
        A ServiceRequest or MedicationRequest with `status` draft and `intent` proposal.
    """
    order = _template(known.orders[key])
    order["subject"] = {"reference": f"Patient/{patient_id}"}
    order["instantiatesCanonical"] = [f"{CANONICAL}/PlanDefinition/{recommendation}" for recommendation in recommendations]
    if conditions := [reason for reason in dict.fromkeys(reasons) if reason.startswith("Condition/")]:
        order["reasonReference"] = [{"reference": reason} for reason in conditions[:2]]
    return order


def panel_before(key: str, assessment: Assessment, known: Knowledge) -> Investigation | None:
    """The panel that the order is a part of, if it is still to come or was never asked for: its own statement orders that.

    Args:
        key: order key in `orders.yaml`.
        assessment: of the patient.
        known: the knowledge.
    """
    if "part_of" not in known.orders[key]:
        return None
    investigation = known.orders[known.orders[key]["part_of"]]["investigation"]
    panel, shown_by = assessment.investigation(investigation), assessment.definitions.investigations[investigation].shown_by
    is_ordered = any(assessment.record.orders.get(concept) for concept in shown_by[0])
    return panel if panel.standing is not Standing.PRESENT or panel.is_ordered or is_ordered else None


def _template(entry: Mapping[str, Any]) -> dict[str, Any]:
    code = {"coding": [dict(coding) for coding in entry.get("coding", ())], "text": entry["title"]}
    if not code["coding"]:
        del code["coding"]
    base = {"resourceType": entry["resource"], "status": "draft", "intent": "proposal"}
    if entry["resource"] == "ServiceRequest":
        return base | {"code": code}
    dose = say("Draft without a dose: dose and schedule are left to the prescriber.")
    note = join(" ", (dose, entry["note"])) if "note" in entry else dose
    return base | {"medicationCodeableConcept": code, "note": [{"text": note}]}


def prove_templates(known: Knowledge) -> int:
    """Validate every order template with `fhir.resources` R4B.

    Args:
        known: the knowledge.

    Returns:
        How many templates were proved.

    Raises:
        RuleError: a template is not valid FHIR R4; the message names the order and the element.
    """
    from fhir.resources.R4B.medicationrequest import MedicationRequest
    from fhir.resources.R4B.servicerequest import ServiceRequest
    from pydantic import ValidationError

    models: dict[str, Any] = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}
    for key, entry in known.orders.items():
        example = build_order(key, ["example-statement"], "example", ["Condition/example"], known)
        try:
            models[entry["resource"]].model_validate(example)
        except ValidationError as error:
            wrong = "; ".join(f"{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise RuleError(f"orders.yaml: {key}: not valid FHIR: {wrong}") from None
    return len(known.orders)
