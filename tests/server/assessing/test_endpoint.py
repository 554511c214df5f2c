"""`POST /assess`: the same as the command line, over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from server.assessing.as_json import assess_json
from server.assessing.chart_input import evaluate_chart
from tests.server.answers import check_answer, diagnostics
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY, Json, chart, diagnosis, resources


def assess(client: FlaskClient, value: Any, query: str = "") -> Any:
    response = client.post(f"/assess{query}", json=value)
    check_answer(response.status_code, response.headers, response.get_data())
    return response


def both() -> list[Json]:
    return [chart(ANTI_TIF1), chart(HEALTHY)]


def test_a_bundle_gives_the_assess_json(client: FlaskClient) -> None:
    expected = assess_json(evaluate_chart(chart(ANTI_TIF1), as_of=AS_OF, patient_id=None))
    assert assess(client, chart(ANTI_TIF1)).get_json() == expected


def test_a_list_of_resources_will_do(client: FlaskClient) -> None:
    assert assess(client, resources(chart(ANTI_TIF1))).get_json() == assess(client, chart(ANTI_TIF1)).get_json()


def test_another_day_may_be_named(client: FlaskClient) -> None:
    answer = assess(client, chart(ANTI_TIF1), "?asOf=2026-08-01").get_json()
    assert answer["asOf"] == "2026-08-01"
    assert any("dated after" in issue["problem"] for issue in answer["issues"])


def test_one_of_several_patients_is_named(client: FlaskClient) -> None:
    assert assess(client, both(), f"?patient={HEALTHY}").get_json()["cards"] == []
    assert assess(client, both(), f"?patient={ANTI_TIF1}").get_json()["patient"]["id"] == ANTI_TIF1


def test_a_mismatch_gives_no_cards_and_is_named_first(client: FlaskClient) -> None:
    response = assess(client, [chart(ANTI_TIF1), diagnosis("other")])
    assert response.status_code == 200
    assert response.get_json()["cards"] == []
    assert "another patient" in response.get_json()["issues"][0]["problem"]


@pytest.mark.parametrize(
    ("value", "query", "number"),
    [
        pytest.param({"a": 1}, "", "MYO-1301", id="not FHIR"),
        pytest.param(7, "", "MYO-1301", id="a number"),
        pytest.param(both(), "", "MYO-1302", id="several patients"),
        pytest.param(both(), "?patient=nobody", "MYO-1302", id="not one of several"),
        pytest.param(chart(HEALTHY), "?asOf=yesterday", "MYO-1303", id="no day"),
    ],
)
def test_what_cannot_be_assessed_is_refused(client: FlaskClient, value: Any, query: str, number: str) -> None:
    response = assess(client, value, query)
    assert response.status_code == 400
    assert diagnostics(response.get_json()).startswith(number)
