"""What a clinician does with a card: take a suggestion, dismiss it with a reason, follow its link."""

from collections.abc import Sequence

from flask import Blueprint, Response, flash, jsonify, redirect, request
from werkzeug.wrappers import Response as Redirect

from sandbox.desk import Desk, DeskError
from sandbox.fhir_parts import Json
from sandbox.pages.forms import back, page_blueprint

PLACES = {"chart": "chart.show", "orders": "orders.show", "facts": "facts.show"}
"""Where a card can be shown."""


def cards_blueprint(desk: Desk) -> Blueprint:
    """Forms and links of the cards of one patient, `/patients/<slug>/cards/<uuid>/…`."""
    blueprint = page_blueprint("cards", back_to="chart.show")

    @blueprint.post("/patients/<slug>/cards/<card>/accept/<suggestion>")
    def accept(slug: str, card: str, suggestion: str) -> Redirect:
        before = desk.drafts(slug)
        flash(desk.accept(slug, card, suggestion))
        _ask_again(desk, slug, before)
        return _to_where_it_was_shown()

    @blueprint.post("/patients/<slug>/cards/<card>/override")
    def override(slug: str, card: str) -> Redirect:
        desk.override(slug, card, request.form.get("reason", ""), request.form.get("comment", "").strip())
        flash("The card is overridden.")
        return _to_where_it_was_shown()

    @blueprint.get("/patients/<slug>/cards/<card>/links/<int:number>")
    def launch(slug: str, card: str, number: int) -> Redirect:
        return redirect(desk.launch_url(slug, card, number))

    @blueprint.get("/patients/<slug>/calls/<service>/<hook>.json")
    def whole_request(slug: str, service: str, hook: str) -> Response:
        for answer in desk.answers(slug):
            if (answer.service_id, answer.hook) == (service, hook):
                return jsonify(answer.request)
        raise DeskError("That call is no longer kept. Open the chart again.")

    return blueprint


def _ask_again(desk: Desk, slug: str, before: Sequence[Json]) -> None:
    """A suggestion that changed the order pad is a change of drafts like any other; all of them are looked at again, so that a
    warning about one does not leave the screen because another was added to it."""
    after = desk.drafts(slug)
    if after and list(after) != list(before):
        desk.select(slug, [draft["id"] for draft in after])


def _to_where_it_was_shown() -> Redirect:
    return back(PLACES.get(request.form.get("place", ""), "chart.show"), stay=True)
