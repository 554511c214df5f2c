"""`/smart/launch` and `/smart/callback`, and the keys that EHRs verify our assertions with."""

from flask import Blueprint, Response, request

from server.errors import AuditUnavailableError, TooManyRequestsError
from server.feedback.trouble import log_trouble
from server.observing.logs import logger
from server.patient_page.static_files import patient_page_static_blueprint
from server.request_log import note
from server.responses import json_response
from server.runtime import Runtime
from server.smart.app import open_app
from server.smart.cookies import Cookies
from server.smart.pages import Pages
from server.smart.paths import CALLBACK_PATH, JWKS_PATH, LAUNCH_PATH, PATIENT_PATH
from server.smart.patient_endpoint import add_patient_pages
from server.smart.stops import NO_STORE, TOO_MANY, StopError
from server.store.errors import StoreError

_MOST_FORM_BYTES = 64 * 1024
_JWKS_SECONDS = 3600

_log = logger("smart")


def smart_blueprint(runtime: Runtime) -> Blueprint:
    """The app."""
    blueprint = Blueprint("smart", __name__)
    blueprint.register_blueprint(patient_page_static_blueprint())
    app, cookies, pages = open_app(runtime), Cookies(runtime.config.public_url), Pages(runtime)
    add_patient_pages(blueprint, app, cookies, pages)

    @blueprint.before_request
    def read_small_forms_only() -> None:
        request.max_content_length = request.max_form_memory_size = _MOST_FORM_BYTES  # IN-15

    @blueprint.get(JWKS_PATH)
    def jwks() -> Response:
        response = json_response(app.keys().published())
        response.headers["Cache-Control"] = f"public, max-age={_JWKS_SECONDS}"
        return response

    @blueprint.get(LAUNCH_PATH)
    def launch() -> Response:
        if not request.args.keys() & {"iss", "launch"}:
            return pages.choose(app.ehrs)
        begun = app.begin(request.args.get("iss", ""), request.args.get("launch"))
        note(client=begun.ehr.client.name)
        response = _to(begun.url)
        cookies.set(response, begun.launch, begun.cookie, begun.ehr.registration)
        known = cookies.launches(request)
        found = app.launches.find_all(known)
        for one in known:  # a day of launches would make a header that no proxy lets through
            if one not in found or found[one].has_ended:
                cookies.forget(response, one, begun.ehr.registration)
        return response

    @blueprint.get(CALLBACK_PATH)
    def callback() -> Response:
        opened, cookie, ehr = app.finish(request.args.to_dict(), lambda one: cookies.of(request, one))
        note(client=ehr.client.name)
        response = _to(runtime.url(f"{PATIENT_PATH}/{opened}"))
        cookies.set(response, opened, cookie, ehr.registration)
        return response

    _add_stops(blueprint, pages)
    return blueprint


def _add_stops(blueprint: Blueprint, pages: Pages) -> None:
    """Whatever ends a launch is a page."""

    @blueprint.errorhandler(StopError)
    def stop(error: StopError) -> Response:
        _log.warning("stopped", number=error.stop.number, reason=error.reason)
        return pages.stop(error)

    blueprint.register_error_handler(AuditUnavailableError, lambda _: pages.stop(StopError(NO_STORE, "audit")))

    @blueprint.errorhandler(StoreError)
    def no_store(error: StoreError) -> Response:
        log_trouble(error, "open_app")
        return pages.stop(StopError(NO_STORE, "store"))

    @blueprint.errorhandler(TooManyRequestsError)
    def too_many(error: TooManyRequestsError) -> Response:
        response = pages.stop(StopError(TOO_MANY, "rate"))
        response.headers.extend(error.answer_headers())
        return response


def _to(url: str) -> Response:
    """On to the next page, which must not be asked for as this one was (RFC 9700, 4.12)."""
    return Response(status=303, headers={"Location": url})
