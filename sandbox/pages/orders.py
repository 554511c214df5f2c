"""The order pad: draft, see what services say while drafting, review, and sign."""

from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, abort, flash, render_template, request
from werkzeug.wrappers import Response as Redirect

from sandbox.chart_store import ChartStore
from sandbox.codes import read_codes
from sandbox.desk import Desk, Orderable, Review, title_of
from sandbox.fhir_parts import Json
from sandbox.order_pad import ROUTES
from sandbox.pages.forms import back, page_blueprint

KINDS = {
    "medication": "Medicines",
    "laboratory": "Laboratory",
    "imaging": "Imaging",
    "procedure": "Procedures",
    "referral": "Referrals",
}
ORDER_HOOKS = ("order-select", "order-sign")
ROUTE_NAMES = {key: read_codes()[key].text for key in ROUTES}


def orders_blueprint(desk: Desk, charts: ChartStore) -> Blueprint:
    """`/patients/<slug>/orders`: each change fires `order-select`, and Review fires `order-sign`, before anything is signed."""
    blueprint = page_blueprint("orders", back_to="orders.show")

    @blueprint.get("/patients/<slug>/orders")
    def show(slug: str) -> str:
        chart = charts.chart(slug) or abort(404, "There is no such patient in this sandbox.")
        words = request.args.get("words", "").strip()
        drafts, calls = desk.drafts(slug), desk.answers(slug)
        return render_template(
            "orders.html",
            chart=chart,
            words=words,
            found=_by_kind(desk, words),
            drafts=drafts,
            routes=ROUTE_NAMES,
            reviewed=desk.reviewed(slug, drafts),
            answers=[answer for answer in calls if drafts and answer.hook in ORDER_HOOKS],
            calls=[answer for answer in calls if answer.hook in ORDER_HOOKS],
            nobody_asked=_nobody_asked(desk, drafts),
            place="orders",
        )

    @blueprint.post("/patients/<slug>/orders/add")
    def add(slug: str) -> Redirect:
        draft = desk.draft(slug, request.form.get("key", ""))
        desk.select(slug, [draft["id"]])
        flash(f"{title_of(draft)} is on the order pad, as a draft.")
        return back("orders.show")

    @blueprint.post("/patients/<slug>/orders/<draft_id>/change")
    def change(slug: str, draft_id: str) -> Redirect:
        given = {name: request.form[name].strip() for name in ("dose", "route", "note") if name in request.form}
        before = desk.drafts(slug)
        draft = desk.change_draft(slug, draft_id, **given)
        desk.select(slug, [draft_id])
        is_changed = draft not in before
        flash(f"The draft of {title_of(draft)} is changed." if is_changed else "Nothing is changed.")
        return back("orders.show")

    @blueprint.post("/patients/<slug>/orders/<draft_id>/discard")
    def discard(slug: str, draft_id: str) -> Redirect:
        desk.discard(slug, draft_id)
        if left := [draft["id"] for draft in desk.drafts(slug)]:
            desk.select(slug, left)
        flash("The draft is taken off the order pad.")
        return back("orders.show")

    @blueprint.post("/patients/<slug>/orders/review")
    def review(slug: str) -> Redirect:
        flash(_review_in_words(desk.review(slug), is_fired=desk.fires("order-sign")))
        return back("orders.show")

    @blueprint.post("/patients/<slug>/orders/sign")
    def sign(slug: str) -> Redirect:
        names = ", ".join(title_of(order) for order in desk.sign(slug, expected=request.form.get("reviewed", "")))
        flash(f"Signed, and on the chart: {names}.")
        return back("chart.show")

    return blueprint


def _by_kind(desk: Desk, words: str) -> dict[str, list[Orderable]]:
    """What can be ordered, by kind, in the order of `KINDS`."""
    order = list(KINDS)
    found = sorted(desk.orderables(words), key=lambda orderable: (order.index(orderable.kind), orderable.title.casefold()))
    return {KINDS[kind]: list(some) for kind, some in groupby(found, key=lambda orderable: orderable.kind)}


def _nobody_asked(desk: Desk, drafts: Sequence[Json]) -> str:
    """Why there is no answer about drafts."""
    if not drafts:
        return "Nothing is drafted yet. Services are asked whenever a draft changes."
    if unfired := [hook for hook in ORDER_HOOKS if not desk.fires(hook)]:
        return f"No service was asked about these drafts: this EHR does not fire {' or '.join(unfired)} in this dialect."
    return "No service was asked about these drafts: none that is registered has the hook."


def _review_in_words(review: Review, *, is_fired: bool) -> str:
    if not review.fingerprint:
        return "The drafts were changed while they were being reviewed. Review them once more."
    if not is_fired:
        return "Reviewed by you alone: this EHR does not fire order-sign in this dialect."
    if not review.answers:
        return "Reviewed by you alone: no service was asked, since none that is registered has order-sign."
    cards = sum(len(answer.cards) for answer in review.answers)
    silent = [answer.service for answer in review.answers if answer.trouble]
    if len(silent) == len(review.answers):
        return f"Reviewed by you alone: no answer from {', '.join(silent)}."
    said = (
        f"{cards} {'card' if cards == 1 else 'cards'} to read before you sign"
        if cards
        else "no service has anything to say about these drafts"
    )
    return f"Reviewed: {said}." + (f" No answer from {', '.join(silent)}." if silent else "")
