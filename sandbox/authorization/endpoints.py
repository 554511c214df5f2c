"""The endpoints of the authorization server, as Flask has them."""

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from sandbox.authorization.asking import Question, question_of
from sandbox.authorization.authorization import Authorization
from sandbox.authorization.discovery import openid_configuration, smart_configuration
from sandbox.bundles import Json
from sandbox.hosts import is_ours

STYLE: Json = {
    "color_background": "#ffffff",
    "color_error": "#a81d1d",
    "color_highlight": "#14568a",
    "color_modal_backdrop": "#1c2430",
    "color_success": "#1d6b3a",
    "color_text": "#1c2430",
    "dim_border_radius": "6px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
"""What the EHR looks like, for apps that want to look alike (SMART, `smart_style_url`)."""

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST",
}


def authorization_blueprint(authorization: Authorization) -> Blueprint:
    """Authorize, token, revoke, introspect, and the documents below `.well-known`."""
    blueprint = Blueprint("authorization", __name__)
    addresses, server, switched_on = authorization.addresses, authorization.server, authorization.misbehaviour

    @blueprint.route("/auth/authorize", methods=["GET", "POST"])
    def authorize() -> Response | WerkzeugResponse:
        return _authorize(authorization)

    @blueprint.post("/auth/token")
    def token() -> Response:
        if request.form.get("grant_type") == "authorization_code":
            basic = request.authorization.username if request.authorization else None
            server.checks.token_request(request.form, basic)
        response: Response = server.create_token_response()
        return response

    @blueprint.post("/auth/revoke")
    def revoke() -> Response:
        response: Response = server.create_endpoint_response("revocation")
        return response

    @blueprint.post("/auth/introspect")
    def introspect() -> Response:
        response: Response = server.create_endpoint_response("introspection")
        return response

    @blueprint.get("/fhir/.well-known/smart-configuration")
    def smart() -> Response:
        return jsonify(smart_configuration(addresses, switched_on()))

    @blueprint.get("/fhir/.well-known/openid-configuration")
    def openid() -> Response:
        return jsonify(openid_configuration(addresses, switched_on()))

    @blueprint.get("/.well-known/jwks.json")
    def jwks() -> Response:
        return jsonify(authorization.keys.jwks())

    @blueprint.get("/auth/style.json")
    def style() -> Response:
        return jsonify(STYLE)

    blueprint.after_request(_allow_other_origins)
    return blueprint


def _allow_other_origins(response: Response) -> Response:
    """Browser apps call from other origins (SMART App Launch 2.2, "Considerations for Cross-Origin Resource Sharing")."""
    if request.endpoint != "authorization.authorize":
        response.headers.update(_CORS)
    return response


def _authorize(authorization: Authorization) -> Response | WerkzeugResponse:
    """The authorization endpoint: validate, ask whom has to be asked, answer."""
    decision = request.form.get("decision")
    if request.method == "POST" and decision is None:  # `authorize-post`: the form of the app, not ours
        asked = urlencode([*request.form.items(multi=True)])
        return redirect(f"{authorization.addresses.authorize}?{asked}", 303)
    if decision is not None and not is_ours(request.headers.get("Origin"), authorization.addresses.origin):
        return _refused("The form is from a page of somebody else.", 403)  # who is asked has to have seen the question
    server = authorization.server
    server.checks.authorization_request(request.args)
    launch = authorization.memory.launch(request.args.get("launch", ""))
    try:
        grant = server.get_consent_grant(request, end_user=launch and launch.user)
    except OAuth2Error as error:
        return _refuse(authorization, error)
    question = question_of(grant, launch, authorization.misbehaviour().cut_scopes)
    consent = None if grant.prompt else question.answered_already
    if consent is None and decision != "deny":
        charts = authorization.store.charts()
        if decision == "allow":
            consent = question.consent(request.form, request.form.getlist("kept_scope"), charts)
        if consent is None:
            return _page(question, charts, trouble="Choose who you are, a patient, and what to allow." if decision else "")
    return _answer(authorization, grant, consent)


def _answer(authorization: Authorization, grant: Any, consent: Any) -> Response:
    """Back to the app, with a code or with `access_denied`."""
    response: Response = authorization.server.create_authorization_response(request, grant_user=consent, grant=grant)
    if authorization.misbehaviour().wrong_state and response.location:
        response.location = response.location.replace("state=", "state=other-")
    return response


def _refuse(authorization: Authorization, error: OAuth2Error) -> Response:
    """Tell the app, where it is known and asked to be told at a registered address; otherwise tell the person."""
    if error.redirect_uri:
        response: Response = authorization.server.handle_error_response(request, error)
        authorization.server.execute_hook("after_create_authorization_response", response)
        return response
    return _refused(error.get_error_description(), 400)


def _refused(reason: str, status: int) -> Response:
    return make_response(render_template("authorization/refused.html", reason=reason), status)


def _page(question: Question, charts: Any, trouble: str) -> Response:
    page = render_template("authorization/authorize.html", trouble=trouble, **question.view(charts))
    response = make_response(page)
    response.headers["Referrer-Policy"] = "same-origin"  # with no-referrer, browsers would not say where the form came from
    # The form leads to the app's own origin in the end, which browsers count as a target of the form.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {question.redirect_origin}"
    )
    return response
