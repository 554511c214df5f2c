"""SMART apps: opened from a chart without a card, opened without a chart, and registered."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request
from werkzeug.wrappers import Response as Redirect

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.smart_apps import SmartApp
from sandbox.errors import DeskError
from sandbox.links import with_launch
from sandbox.pages.forms import back, page_blueprint
from sandbox.web_addresses import is_web_address

SCOPES = ("launch", "launch/patient", "openid", "fhirUser", "online_access", "offline_access", "patient/*.rs", "user/*.rs")
"""What an app that is registered on the page may ask for."""

_MOST_LETTERS = 200


def apps_blueprint(authorization: Authorization) -> Blueprint:
    """`/patients/<slug>/apps/<client_id>` opens an app for the patient (EHR launch); `/apps/register` registers one."""
    blueprint = page_blueprint("apps", back_to="checks.show")

    @blueprint.get("/patients/<slug>/apps/<client_id>")
    def launch(slug: str, client_id: str) -> Redirect:
        app = next((one for one in launchable(authorization.apps) if one.client_id == client_id), None)
        if app is None or authorization.store.chart(slug) is None:
            abort(404, "There is no such app, or no such patient, in this sandbox.")
        return redirect(with_launch(app.launch_url, authorization.addresses.fhir_base, authorization.launch(slug)))

    @blueprint.post("/apps/register")
    def register() -> Redirect:
        app = _described()
        if any(one.client_id == app.client_id for one in authorization.apps):
            raise DeskError("There is an app with this client id already. Choose another one.")
        authorization.register(app)
        flash(f"{app.name} is registered; it can be opened from every chart.")
        return back("checks.show")

    return blueprint


def launchable(apps: Sequence[SmartApp]) -> list[SmartApp]:
    """The apps that have a page to be launched at."""
    return [app for app in apps if app.launch_url]


def standalone_launch(app: SmartApp, fhir_server: str) -> str:
    """The address at which an app begins without a chart (SMART App Launch 2.2, "Standalone Launch"): it is told the server."""
    joint = "&" if "?" in app.launch_url else "?"
    return f"{app.launch_url}{joint}{urlencode({'iss': fhir_server})}"


def _described() -> SmartApp:
    """The app of the form.

    Raises:
        DeskError: something is missing, or is no address.
    """
    client_id, name, launch_url, jwks_url = (_typed(field) for field in ("client_id", "name", "launch_url", "jwks_url"))
    redirect_uris = tuple(request.form.get("redirect_uris", "").split())
    if not client_id or not client_id.isascii() or not all(letter.isalnum() or letter in "-._" for letter in client_id):
        raise DeskError("Write a client id of letters, digits, hyphens, points and underscores.")
    if not redirect_uris or not all(map(is_web_address, (launch_url, *redirect_uris, *([jwks_url] if jwks_url else ())))):
        raise DeskError(
            "Write whole addresses, such as http://127.0.0.1:8000/launch: where it is launched, and where it goes back."
        )
    return SmartApp(client_id, name or client_id, redirect_uris, launch_url, SCOPES, jwks_url=jwks_url or None)


def _typed(field: str) -> str:
    typed = request.form.get(field, "").strip()
    if len(typed) > _MOST_LETTERS or not typed.isprintable():
        raise DeskError(f"Write at most {_MOST_LETTERS} letters to a field, in one line.")
    return typed
