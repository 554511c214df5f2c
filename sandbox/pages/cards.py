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
    """Forms and links of the cards of one patient, `/patients/<slug>/answers/<id>/cards/<place>/…`."""
    blueprint = page_blueprint("cards", back_to="chart.show")

    @blueprint.post("/patients/<slug>/answers/<answer>/cards/<int:card>/accept/<int:suggestion>")
    def accept(slug: str, answer: str, card: int, suggestion: int) -> Redirect:
        before = desk.drafts(slug)
        flash(desk.accept(slug, answer, card, suggestion))
        _ask_again(desk, slug, before)
        return _to_where_it_was_shown()

    @blueprint.post("/patients/<slug>/answers/<answer>/cards/<int:card>/override")
    def override(slug: str, answer: str, card: int) -> Redirect:
        desk.override(slug, answer, card, request.form.get("reason", ""), request.form.get("comment", "").strip())
        flash("The card is overridden.")
        return _to_where_it_was_shown()

    @blueprint.get("/patients/<slug>/answers/<answer>/cards/<int:card>/links/<int:number>")
    def launch(slug: str, answer: str, card: int, number: int) -> Redirect:
        return redirect(desk.launch_url(slug, answer, card, number))

    @blueprint.get("/patients/<slug>/answers/<answer>/request.json")
    def whole_request(slug: str, answer: str) -> Response:
        for one in desk.answers(slug):
            if one.id == answer:
                return jsonify(one.request)
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
