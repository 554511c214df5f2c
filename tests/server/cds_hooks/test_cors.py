"""CORS: who may call from a browser, and what everybody else gets."""

from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient

from server.application import create_app
from server.config import Config, ConfigurationError
from server.runtime import open_runtime
from server.trust.clients import Client
from tests.server.charts import AS_OF, hook_call

SANDBOX = "https://sandbox.cds-hooks.example"
OF_A_CLIENT = "https://ehr.example:8443"
CONFIG = Config(today=lambda: AS_OF, origins=(SANDBOX,))

PATHS = ["/cds-services", "/cds-services/myositis-patient-view", "/cds-services/myositis-patient-view/feedback"]


def application(origins: Sequence[str] = (SANDBOX,), of_client: Sequence[str] = (OF_A_CLIENT,)) -> FlaskClient:
    config = Config(today=lambda: AS_OF, origins=tuple(origins))
    runtime = open_runtime(config, clients=[Client("ehr", issuer="https://ehr.example", origins=tuple(of_client))])
    return create_app(config, runtime=runtime).test_client()


def preflight(client: FlaskClient, path: str, origin: str | None, method: str = "POST") -> tuple[int, dict[str, str]]:
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    response = client.options(path, headers=headers | ({"Origin": origin} if origin is not None else {}))
    return response.status_code, dict(response.headers)


@pytest.mark.requirement("O-1", "O-2", "O-3", "X-1")
@pytest.mark.parametrize("path", [*PATHS, "/cds-services/", "/cds-services//myositis-patient-view", "/cds-services/unknown"])
@pytest.mark.parametrize("origin", [SANDBOX, OF_A_CLIENT])
def test_a_preflight_of_a_named_origin_needs_no_token_and_allows_token_and_json(path: str, origin: str) -> None:
    status, headers = preflight(application(), path, origin)
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert headers["Access-Control-Max-Age"] == "600"
    assert headers["Vary"] == "Origin"


@pytest.mark.requirement("O-3", "CORS-01")
def test_no_answer_allows_every_origin_or_credentials_or_shows_times() -> None:
    client = application()
    for path in PATHS:
        for headers in (preflight(client, path, SANDBOX)[1], dict(client.post(path, headers={"Origin": SANDBOX}).headers)):
            assert headers["Access-Control-Allow-Origin"] == SANDBOX
            assert "Access-Control-Allow-Credentials" not in headers
            assert "Timing-Allow-Origin" not in headers


@pytest.mark.requirement("O-1")
def test_the_answers_to_a_call_and_to_discovery_can_be_read_by_the_page() -> None:
    client = create_app(CONFIG).test_client()
    headers = {"Origin": SANDBOX}
    for response in (
        client.get("/cds-services", headers=headers),
        client.post(PATHS[1], json=hook_call("p1", {"conditions": None}), headers=headers),
    ):
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == SANDBOX
        assert response.headers["Vary"] == "Origin"


@pytest.mark.requirement("O-4")
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param(PATHS[1], {}, 400, id="malformed"),
        pytest.param("/cds-services/unknown", {}, 404, id="unknown service"),
        pytest.param("/cds-services/a/b/c", {}, 404, id="no such path"),
        pytest.param(PATHS[1], hook_call("p1", {}), 412, id="nothing to judge by"),
        pytest.param("/cds-services", {}, 405, id="wrong method"),
    ],
)
def test_a_refusal_can_be_read_by_the_page_too(path: str, body: object, status: int) -> None:
    response = create_app(CONFIG).test_client().post(path, json=body, headers={"Origin": SANDBOX})
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == SANDBOX


@pytest.mark.requirement("O-4", "CORS-01")
@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "*",
        "",
        "https://evil.example",
        "http://sandbox.cds-hooks.example",
        "https://sandbox.cds-hooks.example.evil.example",
        "https://x.sandbox.cds-hooks.example",
        "https://sandbox.cds-hooks.example:444",
        "https://sandbox.cds-hooks.example/",
        "https://SANDBOX.cds-hooks.example",
        f"{SANDBOX} {SANDBOX}",
    ],
)
def test_no_other_origin_is_told_anything(origin: str | None) -> None:
    client = application()
    sent = {} if origin is None else {"Origin": origin}
    _, headers = preflight(client, PATHS[1], origin)
    for found in (headers, dict(client.get("/cds-services", headers=sent).headers)):
        assert [name for name in found if name.startswith("Access-Control")] == []
        assert found["Vary"] == "Origin"


@pytest.mark.requirement("O-4")
@pytest.mark.parametrize("path", ["/assess", "/health/live", "/", "/nothing", "/cds-services-of-others"])
def test_other_paths_are_for_no_page(path: str) -> None:
    status, headers = preflight(application(), path, SANDBOX)
    assert status in (200, 404)
    assert [name for name in headers if name.startswith("Access-Control")] == []


@pytest.mark.requirement("O-4")
@pytest.mark.parametrize("path", PATHS)
def test_without_named_origins_nothing_is_different(path: str) -> None:
    client = application(origins=(), of_client=())
    for headers in (preflight(client, path, SANDBOX)[1], dict(client.get(path, headers={"Origin": SANDBOX}).headers)):
        assert [name for name in headers if name.startswith("Access-Control") or name == "Vary"] == []


@pytest.mark.requirement("CORS-01", "PR-06")
@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "sandbox.example",
        "https://",
        "https://EHR.example",
        "https://ehr.example/",
        "https://ehr.example:443",
        "http://ehr.example",
        "https://ehr.example:x",
        "https://user@ehr.example",
        "ftp://ehr.example",
        "https://*.ehr.example",
    ],
)
def test_an_origin_that_no_browser_sends_stops_the_start_without_being_repeated(origin: str) -> None:
    with pytest.raises(ConfigurationError, match=r"origins \(MYOSITIS_CDS_ORIGINS\): number 2 is not an origin") as refusal:
        application(origins=(SANDBOX, origin))
    assert "ehr.example:" not in str(refusal.value)
    with pytest.raises(ConfigurationError, match=r"client ehr, origins: number 1"):
        application(of_client=[origin])


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://[::1]:8080", "https://127.0.0.1"])
def test_origins_of_this_machine_are_origins(origin: str) -> None:
    assert preflight(application(origins=[origin]), PATHS[0], origin)[0] == 204
