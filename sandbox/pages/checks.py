"""What the last SMART launches did right and wrong."""

from flask import Blueprint, render_template

from sandbox.authorization.authorization import Authorization
from sandbox.pages.forms import page_blueprint


def checks_blueprint(authorization: Authorization) -> Blueprint:
    """`/checks`: one launch after the other, with each check in words."""
    blueprint = page_blueprint("checks", back_to="checks.show")

    @blueprint.get("/checks")
    def show() -> str:
        return render_template("checks.html", attempts=authorization.checks(), apps=authorization.apps)

    return blueprint
