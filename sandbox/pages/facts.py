"""The patient editor: change a fact of a chart, and see what that changes in the cards."""

from collections.abc import Callable
from itertools import groupby

from flask import Blueprint, abort, flash, render_template, request
from werkzeug.wrappers import Response as Redirect

from sandbox.chart_store import ChartStore
from sandbox.desk import Answer, Desk
from sandbox.differences import differences
from sandbox.editor import Editor
from sandbox.pages.forms import back, page_blueprint


def facts_blueprint(desk: Desk, charts: ChartStore, editor: Editor) -> Blueprint:
    """`/patients/<slug>/facts`: what can be changed, what was changed, and the cards beside it."""
    blueprint = page_blueprint("facts", back_to="facts.show")

    @blueprint.get("/patients/<slug>/facts")
    def show(slug: str) -> str:
        chart = charts.chart(slug) or abort(404, "There is no such patient in this sandbox.")
        answers = _cards_now(desk, slug)
        changes = {group: list(some) for group, some in groupby(editor.changes(slug), key=lambda change: change.group)}
        return render_template(
            "facts.html",
            chart=chart,
            changes=changes,
            made=editor.made(slug),
            answers=answers,
            calls=answers,
            drafts=desk.drafts(slug),
            place="facts",
        )

    @blueprint.post("/patients/<slug>/facts/make")
    def make(slug: str) -> Redirect:
        given = request.form
        _say_what_changed(
            desk, slug, lambda: f"On the chart: {editor.make(slug, given.get('key', ''), given.get('typed', '')).title}."
        )
        return back("facts.show")

    @blueprint.post("/patients/<slug>/facts/undo")
    def undo(slug: str) -> Redirect:
        _say_what_changed(desk, slug, lambda: f"Taken back: {editor.undo(slug).title}.")
        return back("facts.show")

    @blueprint.post("/patients/<slug>/facts/reset")
    def reset(slug: str) -> Redirect:
        def start_again() -> str:
            editor.reset(slug)
            desk.forget(slug)
            return "The chart is again as the story tells it; orders and drafts of this patient are gone, too."

        _say_what_changed(desk, slug, start_again)
        return back("facts.show")

    return blueprint


def _cards_now(desk: Desk, slug: str) -> list[Answer]:
    """The answers of the open chart; it is opened if it was not."""
    return _of_the_chart(desk, slug) or [*desk.open_chart(slug)]


def _of_the_chart(desk: Desk, slug: str) -> list[Answer]:
    return [answer for answer in desk.answers(slug) if answer.hook == "patient-view"]


def _say_what_changed(desk: Desk, slug: str, change: Callable[[], str]) -> None:
    """Change the chart, open it again, and hold the cards against those from before."""
    before = _cards_now(desk, slug)
    flash(change())
    desk.open_chart(slug)
    lines = differences(before, _of_the_chart(desk, slug))
    for line in lines or ("The cards stay as they were.",):
        flash(line, "change")
