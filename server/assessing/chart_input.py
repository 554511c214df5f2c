"""A chart given whole, as a file or as the body of `POST /assess`: is it FHIR, whose is it, and for which day?"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from cards.show import EVERYTHING, Show
from fhir_profiles.reader import patients_in
from fhir_profiles.record import Issue
from server.basis import Basis
from server.errors import NotFhirError, ParameterError, WhichPatientError
from server.evaluation import Drafts, Evaluation, evaluate

SEED = "assess"
"""The same chart on the same day gives the same card uuids: there is no hook instance to tell two answers apart."""


def evaluate_chart(
    value: Any,
    *,
    as_of: date,
    patient_id: str | None,
    drafts: Drafts | None = None,
    show: Show = EVERYTHING,
    strict: bool = False,
    basis: Basis | None = None,
) -> Evaluation:
    """Evaluate a chart that was given whole.

    Args:
        value: parsed JSON: a Bundle, a resource, or a list of them.
        as_of: the day of the evaluation.
        patient_id: FHIR id of the patient; may be None unless there are several.
        drafts: the orders being written.
        show: which cards to leave out.
        strict: also hold every resource against the full FHIR models, and report what they find as issues.
        basis: terminology and knowledge; the packaged ones by default.

    Raises:
        NotFhirError: there is no FHIR resource in it.
        WhichPatientError: several patients and none named, or one named who is not there.
    """
    if not is_fhir(value):
        raise NotFhirError("The JSON is not FHIR: expected a Bundle or another resource with a resourceType, or a list of them.")
    parts = [value]
    patients = patients_in(parts)
    if len(patients) > 1 and patient_id is None:
        raise WhichPatientError(f"The data holds {len(patients)} patients. Name the one you mean (--patient ID, or ?patient=ID).")
    if len(patients) > 1 and patient_id not in patients:
        raise WhichPatientError(f"The data holds {len(patients)} patients, and none has the id that was asked for.")
    return evaluate(
        parts,
        as_of=as_of,
        seed=SEED,
        patient_id=patient_id,
        several_patients=len(patients) > 1,
        drafts=drafts,
        issues=_strict_issues(value) if strict else (),
        show=show,
        basis=basis,
    )


def _strict_issues(value: Any) -> tuple[Issue, ...]:
    from server.assessing.strict import strict_issues  # a third of a second of imports, for those who ask for it

    return strict_issues(value)


def is_fhir(value: Any) -> bool:
    """Whether there is at least one thing that says which resource it is."""
    return any(isinstance(resource.get("resourceType"), str) for resource in _outermost(value))


_FIRST_YEAR, _LAST_YEAR = 1950, 2150


def parse_day(text: str, name: str) -> date:
    """A day written YYYY-MM-DD.

    Args:
        text: what was given.
        name: the parameter, for the message.

    Raises:
        ParameterError: it is no such day.
    """
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ParameterError(f"{name} must be a day written YYYY-MM-DD.") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ParameterError(f"{name} must be a day from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return day


def _outermost(value: Any) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item
