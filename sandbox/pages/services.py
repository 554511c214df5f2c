"""The decision support services that this EHR calls."""

from flask import Blueprint, flash, render_template, request
from werkzeug.wrappers import Response as Redirect

from sandbox.pages.forms import back, page_blueprint
from sandbox.services import Services


def services_blueprint(services: Services) -> Blueprint:
    """`/services`: what is registered, what its discovery says, and a form to add any other."""
    blueprint = page_blueprint("services", back_to="services.show")

    @blueprint.get("/services")
    def show() -> str:
        return render_template("services.html", providers=services.providers())

    @blueprint.post("/services/add")
    def add() -> Redirect:
        provider = services.add(request.form.get("url", ""))
        if provider.trouble:
            flash(f"Registered, but it cannot be used yet. {provider.trouble}", "trouble")
        else:
            flash(f"Registered. Its discovery lists {len(provider.services)} services.")
        return back("services.show")

    @blueprint.post("/services/read")
    def read() -> Redirect:
        provider = services.read(request.form.get("url", ""))
        flash(provider.trouble or f"Discovery is read again; it lists {len(provider.services)} services.")
        return back("services.show")

    @blueprint.post("/services/remove")
    def remove() -> Redirect:
        services.remove(request.form.get("url", ""))
        flash("The service is removed. Charts that are opened from now on do without it.")
        return back("services.show")

    return blueprint
