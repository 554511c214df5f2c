"""`/smart/patient`: the page of each launch, the list of those that are open, and leaving one."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from server.auditing.facts import facts_of
from server.auditing.recording import recording
from server.feedback.patients import pseudonym_in_app
from server.languages.choosing import chosen_language
from server.patient_page.opened import Opened
from server.patient_page.page import render
from server.patient_page.patient_summary import render_summary
from server.request_log import note
from server.smart.app import SmartApp
from server.smart.cookies import Cookies, form_token, is_own_form
from server.smart.pages import Pages, page
from server.smart.paths import PATIENT_PATH
from server.smart.reading import open_patient
from server.smart.stops import FOREIGN_FORM, StopError
from server.trust.clients import Caller
from server.urls import origin_of


def add_patient_pages(blueprint: Blueprint, app: SmartApp, cookies: Cookies, pages: Pages) -> None:
    """Add the pages.

    Args:
        blueprint: of the app.
        app: whose launches they show.
        cookies: of the launches.
        pages: that show nothing of a patient.
    """
    runtime = app.runtime
    origin = origin_of(runtime.config.public_url) or ""

    @blueprint.get(PATIENT_PATH)
    def launches() -> Response:
        return pages.open_launches(one for one in app.launches.find_all(cookies.launches(request)).values() if one.is_open)

    @blueprint.get(f"{PATIENT_PATH}/<launch_id>")
    def patient(launch_id: str) -> Response:
        return _shown(launch_id, lambda opened, language: render(opened, request.args.to_dict(), language))

    @blueprint.get(f"{PATIENT_PATH}/<launch_id>/summary")
    def summary(launch_id: str) -> Response:
        return _shown(launch_id, render_summary)

    @blueprint.post(f"{PATIENT_PATH}/<launch_id>/logout")
    def logout(launch_id: str) -> Response:
        cookie = cookies.of(request, launch_id)
        if not is_own_form(request, cookie, origin):
            raise StopError(FOREIGN_FORM, "foreign-form")
        session, ehr = app.session(launch_id, cookie)
        session.end()
        note(client=ehr.client.name)
        response = pages.left(ehr, session.launch)
        cookies.forget(response, launch_id, ehr.registration)
        return response

    def _shown(launch_id: str, show: Callable[[Opened, str], str]) -> Response:
        """The patient of a launch, read anew each time, since nothing of a chart is kept."""
        cookie = cookies.of(request, launch_id)
        session, ehr = app.session(launch_id, cookie)
        note(client=ehr.client.name)
        app.launches.used(session.launch)
        grant = session.grant
        caller = Caller(ehr.client, grant.tenant or None)
        patient = pseudonym_in_app(ehr.client, caller.tenant, ehr.base, grant.patient, runtime.pseudonyms)
        with recording(runtime, caller, "smart-app", "read") as record:
            record.note(patient=patient)
            try:
                opened = open_patient(session, ehr.client, ehr.base, runtime, form_token=form_token(cookie))
            except StopError as stop:
                record.note(outcome=stop.stop.number)
                raise
            record.note(**facts_of(opened.evaluation, opened.evaluation.cards))
            language = chosen_language(request, ehr.client.language)
            return page(show(opened, language), ehr.registration.frame_ancestors)
