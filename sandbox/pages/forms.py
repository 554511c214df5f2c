"""Blueprints whose forms are ours: a POST is heeded only from a page that this process has written.

The sandbox listens on the machine of whoever tries it, where any web site that is open in the same browser could post to it
(cross-site request forgery, OWASP). Each form carries a token of this process, and the browser says where the form came from.
"""

from hmac import compare_digest
from secrets import token_urlsafe

from flask import Blueprint, Response, abort, current_app, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as Redirect

from sandbox.desk import DeskError
from sandbox.hosts import is_ours

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field, not a secret
FORM_TOKEN = token_urlsafe(32)
CHART = "chart.show"
EHR_URL = "EHR_URL"
"""The setting of the application that says where this EHR is reached."""
_STAYS = "stays"
TOO_OLD = "This form is from another page or from before the sandbox was started again. Open the page anew and try once more."


def page_blueprint(name: str, *, back_to: str) -> Blueprint:
    """A blueprint that refuses foreign forms, and turns what cannot be done into a message on a page.

    Args:
        name: of the blueprint.
        back_to: endpoint that shows the message; it takes the `slug` of the request, if there is one.
    """
    blueprint = Blueprint(name, __name__)

    @blueprint.before_request
    def refuse_foreign_forms() -> None:
        if request.method == "POST" and not _is_ours():
            abort(403, TOO_OLD)

    @blueprint.errorhandler(DeskError)
    def say_why_not(error: DeskError) -> Response | Redirect:
        flash(str(error), "trouble")
        return back(back_to, stay=True)

    return blueprint


def back(endpoint: str, *, stay: bool = False) -> Redirect:
    """Redirect to a page after a POST, so that reloading it does nothing twice (303).

    Args:
        endpoint: of the page; it takes the `slug` of the request, if there is one.
        stay: if the page is the chart, leave it open as it is this once, and fire nothing; reloading it opens it anew.
    """
    slug = (request.view_args or {}).get("slug")  # url_for leaves out what is None
    if stay and endpoint == CHART:
        session[_STAYS] = slug
    return redirect(url_for(endpoint, slug=slug), 303)


def stays_open(slug: str) -> bool:
    """Whether the page is shown after a form that left its chart open; asked a second time, it is not."""
    return bool(session.pop(_STAYS, None) == slug)


def _is_ours() -> bool:
    from_here = is_ours(request.headers.get("Origin"), current_app.config[EHR_URL])
    return from_here and compare_digest(request.form.get(TOKEN_FIELD, "").encode(), FORM_TOKEN.encode())
