"""A small page that holds the three drawings and nothing else, under the policy that the app has."""

from pathlib import Path

from flask import Flask, Response, render_template_string, send_from_directory

import server.patient_page
import server.publishing
from server.patient_page.charts import charts
from tests.server.evaluated import evaluated
from tests.server.patient_page.drawn import calendar_view, timeline

ROOM = Path(server.patient_page.__file__).parent
LOOK = Path(server.publishing.__file__).parent / "static"
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ slug }}</title><link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/guidelines.css"><link rel="stylesheet" href="/static/timeline.css">
<script src="/static/timeline.js" defer></script></head><body><main><h1>{{ slug }}</h1>
{% from "patient_page/timeline.html" import timeline %}{% from "patient_page/charts.html" import charts %}
{% from "patient_page/calendar.html" import calendar %}
<h2>Timeline</h2>{{ timeline(view) }}<h2>Results</h2>{{ charts(results) }}<h2>Calendar</h2>{{ calendar(dates) }}
</main></body></html>"""


def drawings_page() -> Flask:
    """The application: `/<story>` holds the drawings of that story."""
    app = Flask("drawings", template_folder=str(ROOM / "templates"), static_folder=None)
    app.jinja_options = {"autoescape": True}

    @app.get("/static/<name>")
    def static(name: str) -> Response:
        return send_from_directory(ROOM / "static" if name.startswith("timeline") else LOOK, name)

    @app.get("/<slug>")
    def page(slug: str) -> Response:
        found = evaluated(slug)
        drawn = {"view": timeline(found), "results": charts(found), "dates": calendar_view(found)}
        response = Response(render_template_string(PAGE, slug=slug, **drawn), mimetype="text/html")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app
