"""`_services/smart/Launch`: how the public CDS Hooks sandbox asks an EHR for a launch value (conformance X-26).

Not part of any specification; its client posts the URL to launch and `{"parameters": {"patient": …, "appContext": …}}` and reads
`launch_id`. Whoever asks holds a token for a chart, as a service does while it is called, and is no clinician: a launch from here
has nobody logged in, so that the page for login and consent comes before any code.
"""

from flask import Blueprint, Response, request

from sandbox.authorization.authorization import Authorization
from sandbox.fhir_answers import RefusalError, fhir, read_json
from sandbox.fhir_api import allow_other_origins, granted_by_request


def launch_blueprint(authorization: Authorization, *, is_open: bool) -> Blueprint:
    """The one endpoint.

    Args:
        authorization: whose launches they are.
        is_open: whether no token is needed, as for the FHIR API.
    """
    blueprint = Blueprint("launch_service", __name__, url_prefix="/fhir/_services/smart")

    @blueprint.post("/Launch")
    def launch() -> Response:
        patient, app_context = _asked()
        granted = granted_by_request(authorization.access, is_open=is_open)
        if granted.patient not in (None, patient):
            raise RefusalError(403, "forbidden", "The token is for another patient.")
        try:
            value = authorization.launch(patient, app_context=app_context, user="")
        except ValueError as error:
            raise RefusalError(422, "not-found", f"parameters.patient: {error}.") from error
        return fhir({"launch_id": value})

    blueprint.register_error_handler(RefusalError, _refuse)
    blueprint.after_request(allow_other_origins)
    return blueprint


def _asked() -> tuple[str, str | None]:
    """Patient and appContext."""
    body = read_json(request.get_data())
    parameters = body.get("parameters") if isinstance(body, dict) else None
    patient = parameters.get("patient") if isinstance(parameters, dict) else None
    if not isinstance(parameters, dict) or not isinstance(patient, str):
        raise RefusalError(400, "required", "Send JSON with parameters.patient.")
    app_context = parameters.get("appContext")
    return patient.removeprefix("Patient/"), app_context if isinstance(app_context, str) else None


def _refuse(refusal: RefusalError) -> Response:
    return refusal.response
