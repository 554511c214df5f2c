"""`/smart/patient`: the page of each launch, the list of those that are open, and leaving one."""

from collections.abc import Iterator

from flask import Blueprint, Response, request

from server.request_log import note
from server.smart.app import SmartApp
from server.smart.cookies import Cookies, form_token, is_own_form
from server.smart.launches import Launch
from server.smart.pages import Pages, page
from server.smart.reading import open_patient
from server.smart.stops import FOREIGN_FORM, StopError
from server.smart.view import language_of, render

PATIENT_PATH = "/smart/patient"


def add_patient_pages(blueprint: Blueprint, app: SmartApp, cookies: Cookies, pages: Pages) -> None:
    """Add the pages.

    Args:
        blueprint: of the app.
        app: whose launches they show.
        cookies: of the launches.
        pages: that show nothing of a patient.
    """
    runtime = app.runtime
    origin = "/".join(runtime.config.public_url.split("/")[:3])

    @blueprint.get(PATIENT_PATH)
    def launches() -> Response:
        return pages.open_launches(one for one in _known() if one and not one.has_ended)

    @blueprint.get(f"{PATIENT_PATH}/<launch_id>")
    def patient(launch_id: str) -> Response:
        cookie = cookies.of(request, launch_id)
        session, ehr = app.session(launch_id, cookie)
        note(client=ehr.client.name)
        app.launches.used(session.launch)
        opened = open_patient(session, ehr.client, ehr.base, runtime, form_token=form_token(cookie))
        html = render(opened, request.args.to_dict(), language_of(ehr.client, request.accept_languages))
        return page(html, ehr.registration.frame_ancestors)

    @blueprint.post(f"{PATIENT_PATH}/<launch_id>/leave")
    def leave(launch_id: str) -> Response:
        cookie = cookies.of(request, launch_id)
        if not is_own_form(request, cookie, origin):
            raise StopError(FOREIGN_FORM, "foreign-form")
        session, ehr = app.session(launch_id, cookie)
        session.end()
        note(client=ehr.client.name)
        response = pages.left(ehr, session.launch)
        cookies.forget(response, launch_id, ehr.registration)
        return response

    def _known() -> Iterator[Launch | None]:
        """The launch of every cookie of the app in this browser."""
        return (app.launches.find(one, cookie) for one, cookie in cookies.launches(request))
