"""The pages around a patient's page: choosing an EHR, the open launches, and every way in which a launch ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from flask import Response, request
from jinja2 import Environment

from fhir_profiles.sentences import AsWritten
from server.languages.choosing import chosen_language
from server.languages.templates import spoken_in
from server.patient_page.rendering import environment_of
from server.runtime import Runtime
from server.smart.launches import Launch
from server.smart.registered import Ehr
from server.smart.stops import StopError

HTML = "text/html; charset=utf-8"


def page(html: str, frame_ancestors: Iterable[str] = (), status: int = 200) -> Response:
    """An HTML page that nobody keeps, and that no other site shows in a frame but the EHR's (HDR-01, SM-14).

    Args:
        html: the page.
        frame_ancestors: web origins that may.
        status: HTTP status.
    """
    response = Response(html, status=status, content_type=HTML)
    ancestors = " ".join(frame_ancestors) or "'none'"
    own = "style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
    response.headers["Content-Security-Policy"] = f"default-src 'none'; {own}; base-uri 'none'; frame-ancestors {ancestors}"
    return response


@cache
def environment() -> Environment:
    """The templates: what an EHR says about a refusal becomes text, and none of it is hidden or reversed (CARD-03)."""
    return environment_of("server.smart", "server.patient_page")


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages that show nothing of a patient; every EHR that shows the app in a frame may show them in one.

    Args:
        runtime: the parts of the service.
    """

    runtime: Runtime

    def choose(self, ehrs: Iterable[Ehr]) -> Response:
        """Which EHR to open a patient of, for a launch without a chart (A-2)."""
        choices = [(AsWritten(one.client.name), AsWritten(urlsplit(one.base).netloc), one.base) for one in ehrs]
        return self._page("choose", choices=choices)

    def open_launches(self, launches: Iterable[Launch]) -> Response:
        """The launches that are open in this browser; of whom is not said, since nothing was read (A-20)."""
        return self._page("open", launches=[(one.id, AsWritten(one.client)) for one in launches])

    def left(self, ehr: Ehr, launch: Launch) -> Response:
        """The user has left."""
        return self._page("left", of_client=ehr.client.language, again=ehr.base if launch.is_standalone else "")

    def stop(self, error: StopError) -> Response:
        """Why a launch does not go on."""
        return self._page("stop", error.stop.status, stop=error.stop, said=AsWritten(error.said), again=error.again)

    def _page(self, name: str, status: int = 200, of_client: str | None = None, **values: object) -> Response:
        language = chosen_language(request, of_client or self._language_of_all())
        with spoken_in(language):
            html = environment().get_template(f"smart/{name}.html").render(language=language, **values)
        framing = {one for client in self.runtime.clients if client.smart for one in client.smart.frame_ancestors}
        return page(html, sorted(framing), status)

    def _language_of_all(self) -> str | None:
        """Where it is not known from which EHR somebody comes: what all are set to, or nothing."""
        languages = {client.language for client in self.runtime.clients if client.smart}
        return languages.pop() if len(languages) == 1 else None
