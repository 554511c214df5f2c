"""A patient's chart, beside the cards that services gave when it was opened."""

from flask import Blueprint, abort, render_template

from sandbox.chart_store import ChartStore
from sandbox.desk import Desk
from sandbox.pages.forms import page_blueprint, stays_open
from sandbox.results import results_over_time
from sandbox.summary import summarise


def chart_blueprint(desk: Desk, charts: ChartStore) -> Blueprint:
    """`/patients/<slug>`: opening it fires `patient-view`; after a form of it, it is still open, and nothing is fired."""
    blueprint = page_blueprint("chart", back_to="chart.show")

    @blueprint.get("/patients/<slug>")
    def show(slug: str) -> str:
        chart = charts.chart(slug) or abort(404, "There is no such patient in this sandbox.")
        if not stays_open(slug) or not desk.answers(slug):
            desk.open_chart(slug)
        answers = desk.answers(slug)
        return render_template(
            "chart.html",
            chart=chart,
            parts=summarise(chart),
            results=results_over_time(chart),
            answers=[answer for answer in answers if answer.hook == "patient-view"],
            calls=answers,
            drafts=desk.drafts(slug),
            place="chart",
        )

    return blueprint
