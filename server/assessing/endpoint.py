"""`POST /assess`: a FHIR Bundle in, the Assess JSON out; the same as `myositis-cds assess --json`."""

from flask import Blueprint, Response, request

from server.assessing.as_json import assess_json
from server.assessing.chart_input import evaluate_chart, parse_day
from server.basis import load_basis
from server.config import Config
from server.intake import read_json
from server.request_log import note
from server.responses import json_response


def assess_blueprint(config: Config) -> Blueprint:
    """The endpoint; `?patient=ID` names one of several patients, `?asOf=YYYY-MM-DD` another day than today."""
    blueprint = Blueprint("assess", __name__)

    @blueprint.post("/assess")
    def assess() -> Response:
        day = request.args.get("asOf")
        evaluation = evaluate_chart(
            read_json(request, config.max_body_bytes),
            as_of=config.today() if day is None else parse_day(day, "asOf"),
            patient_id=request.args.get("patient"),
            cap=config.card_cap,
            basis=load_basis(config.site, config.terminology),
        )
        note(cards=len(evaluation.cards), issues=len(evaluation.issues))
        return json_response(assess_json(evaluation), seconds=evaluation.seconds)

    return blueprint
