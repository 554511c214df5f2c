"""The templates of the drawings: what is printed may be translated; names of classes and places may not."""

import re

from flask.testing import FlaskClient
from jinja2 import pass_context
from jinja2.runtime import Context

from server.patient_page.labels import LABELS
from tests.server.patient_page.drawings import POLICY, drawings_page

KINDS = {"due", "done", "overdue", "upcoming", "failed", "current", "stopped", "high", "low", "normal", "dose", "start", "end"}
KNOWN = {str(label) for label in LABELS.values()} | KINDS | {"ordered", "positive", "negative", "declined", "onset", "middle"}


def page_in_another_language() -> FlaskClient:
    """As `server.languages` does it: every text that the catalogue knows whole is another one, whatever it is printed for."""
    app = drawings_page()

    @pass_context
    def translate(_: Context, value: object) -> object:
        return "\u00fcbersetzt" if isinstance(value, str) and str(value) in KNOWN else value

    app.jinja_env.finalize = translate
    return app.test_client()


def test_words_are_translated_and_classes_and_places_are_not() -> None:
    html = page_in_another_language().get("/dermatomyositis-refractory-severe").get_data(as_text=True)
    assert '<th scope="col">\u00fcbersetzt</th>' in html
    names = re.findall(r'(?:class|text-anchor|role|scope|href|src|x|y|points)="([^"]*)"', html)
    assert len(names) > 200
    assert [name for name in names if "\u00fcbersetzt" in name] == []


def test_no_style_and_no_script_stands_in_the_page() -> None:
    answer = drawings_page().test_client().get("/dermatomyositis-refractory-severe")
    html = answer.get_data(as_text=True)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert re.findall(r"<style|style=|<script(?! src)| on[a-z]+=", html) == []
