"""What the last SMART launches did right and wrong."""

from flask import Blueprint, render_template

from sandbox.authorization.authorization import Authorization
from sandbox.pages.apps import launchable, standalone_launch
from sandbox.pages.forms import page_blueprint


def checks_blueprint(authorization: Authorization) -> Blueprint:
    """`/checks`: one launch after the other, with each check in words."""
    blueprint = page_blueprint("checks", back_to="checks.show")

    @blueprint.get("/checks")
    def show() -> str:
        fhir_server = authorization.addresses.fhir_base
        addresses = {app.client_id: standalone_launch(app, fhir_server) for app in launchable(authorization.apps)}
        return render_template(
            "checks.html",
            attempts=authorization.checks(),
            registered=authorization.apps,
            standalone=addresses,
            fhir_server=fhir_server,
        )

    return blueprint
