"""The switches: what goes wrong, or otherwise than usual, while one tries things out."""

from dataclasses import fields

from flask import Blueprint, flash, render_template, request
from werkzeug.wrappers import Response as Redirect

from sandbox.authorization.misbehaviour import SWITCHED
from sandbox.desk import Desk, Switches
from sandbox.dialects import DIALECTS
from sandbox.pages.forms import back, page_blueprint

PREFETCH = {
    "all": "everything that the service asks for",
    "minimal": "Patient, Condition and MedicationRequest only",
    "none": "nothing: the service has to call back",
}
FAULT_WORDS = {
    "slow": "slow: answers after some seconds",
    "fail": "fails with status 500",
    "busy": "busy: status 429, try again in a second",
    "denied": "refuses: the token does not cover it (403)",
    "expired": "the token has expired (401)",
    "another-patient": "answers with another patient's data",
    "truncated": "answers break off in the middle",
    "html": "answers with a web page instead of FHIR",
    "empty": "answers that there is nothing",
    "endless": "pages that never end",
}
"""The faults worth a switch, of those that there are."""


def switches_blueprint(desk: Desk) -> Blueprint:
    """`/switches`, for all patients."""
    blueprint = page_blueprint("switches", back_to="switches.show")

    @blueprint.get("/switches")
    def show() -> str:
        return render_template(
            "switches.html",
            switches=desk.switches,
            prefetch=PREFETCH,
            faults=FAULT_WORDS,
            authorization={name: words for name, (words, _) in SWITCHED.items()},
        )

    @blueprint.post("/switches")
    def change() -> Redirect:
        desk.switches = _chosen()
        flash("The switches are set. Open a chart, or change a draft, to see what they do.")
        return back("switches.show")

    @blueprint.post("/switches/normal")
    def back_to_normal() -> Redirect:
        desk.switches = Switches()
        flash("All switches are back to normal.")
        return back("switches.show")

    return blueprint


def in_words(switches: Switches) -> list[str]:
    """What is not as usual, for every page to say."""
    said = {
        "prefetch": f"prefetch sends {PREFETCH[switches.prefetch]}",
        "token": "no access token is sent",
        "fault": f"FHIR server: {FAULT_WORDS.get(switches.fault, switches.fault)}",
        "wrong_patient": "another patient's data is sent under this patient's id",
        "authorization": f"authorization server: {SWITCHED.get(switches.authorization, ('',))[0]}",
        "dialect": f"this EHR speaks {DIALECTS[switches.dialect].title}",
    }
    usual = Switches()
    return [said[one.name] for one in fields(Switches) if getattr(switches, one.name) != getattr(usual, one.name)]


def _chosen() -> Switches:
    """What the form says; a position that there is not is refused by `Switches`."""
    return Switches(
        prefetch=request.form.get("prefetch", ""),
        token="token" in request.form,
        fault=request.form.get("fault", ""),
        wrong_patient="wrong_patient" in request.form,
        dialect=request.form.get("dialect", ""),
        authorization=request.form.get("authorization", ""),
    )
