"""The door itself: open only to this machine, closed when it cannot tell, and shut to keys that everybody has."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, request
from sqlalchemy import func, select

from server.application import create_app
from server.config import Config, ConfigurationError
from server.errors import UnauthorisedError
from server.runtime import open_runtime
from server.store.errors import StoreError
from server.store.tables import used_tokens
from server.trust import published_keys
from server.trust.clients import Client
from server.trust.gate import Gate
from server.trust.jwk_set import read_jwk_set
from tests.server.answers import check_answer
from tests.server.charts import dermatomyositis, hook_call
from tests.server.logged import lines
from tests.server.trust.conftest import CONFIG, Service, Web
from tests.server.trust.ehrs import PATIENT_VIEW, PUBLIC_URL, Ehr, bearer, jwk

EHR = Ehr("hospital", "https://hospital.example/jwks.json")
SANDBOX = Client("sandbox", "https://sandbox.cds-hooks.org", "https://sandbox.cds-hooks.org/.well-known/jwks.json")


# --- open


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("127.8.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("192.0.2.7", 401),
        ("::ffff:192.0.2.7", 401),
        ("", 401),
    ],
)
def test_a_service_without_clients_answers_this_machine_only(address: str, status: int) -> None:
    client = create_app(Config(today=CONFIG.today)).test_client()
    call = hook_call("p1", dermatomyositis())
    response = client.post("/cds-services/myositis-patient-view", json=call, environ_base={"REMOTE_ADDR": address})
    assert response.status_code == status
    check_answer(response.status_code, response.headers, response.get_data())


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": ""}, {"Forwarded": "for=127.0.0.1"}, {"Host": "cds.hospital.example"}],
    ids=["X-Forwarded-For", "X-Forwarded-For without a value", "Forwarded", "Host"],
)
def test_nor_does_it_answer_others_through_this_machine(headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Over HTTP: `tests/end_to_end/test_served.py`."""
    client = create_app(Config(today=CONFIG.today)).test_client()
    call = hook_call("p1", dermatomyositis())
    assert client.post("/cds-services/myositis-patient-view", json=call, headers=headers).status_code == 401
    assert "event=refused reason=not-this-machine client=unknown" in lines(caplog)


@pytest.mark.requirement("JWT-19")
def test_no_clients_and_another_host_than_this_machine_do_not_go_together() -> None:
    with pytest.raises(ConfigurationError, match="this machine only"):
        open_runtime(Config(host="192.0.2.7", clients=Path("clients.toml")), clients=[])


@pytest.mark.requirement("J-3", "J-10")
@pytest.mark.parametrize("path", ["/cds-services/myositis-patient-view", "/cds-services//myositis-order-sign", "/assess"])
def test_with_clients_every_endpoint_that_reads_patients_wants_a_token(path: str, service: Service) -> None:
    assert service.call({}, path).status_code == 401


@pytest.mark.requirement("J-22", "IN-01")
def test_the_token_is_looked_at_before_the_body(service: Service) -> None:
    assert service.client.post("/cds-services/myositis-patient-view", data=b"not JSON").status_code == 401


@pytest.mark.requirement("J-1", "J-13")
@pytest.mark.parametrize(
    "url", ["http://cds.example", "https://user@cds.example", "https://cds.example?x", "cds.example", "http://127.0.0.1:0"]
)
def test_with_clients_the_public_url_is_https_or_on_this_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_PUBLIC_URL\): .* it must be the https URL"):
        open_runtime(Config(public_url=url), clients=[EHR.client()])
    assert open_runtime(Config(public_url="https://cds.example/base"), clients=[EHR.client()])
    assert open_runtime(Config(), clients=[EHR.client()])


PROXIES = (
    "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Server", "X-Forwarded-Port", "x-forwarded", "X-Real-IP", "X-Client-IP",
    "True-Client-IP", "Fastly-Client-IP", "X-Cluster-Client-IP", "Client-IP", "CF-Connecting-IP", "Fly-Connecting-IP",
)  # fmt: skip


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize(
    ("headers", "address", "is_let_in"),
    [
        ({}, "127.0.0.1", True),
        ({}, "192.0.2.7", False),
        *(({name: "127.0.0.1"}, "127.0.0.1", False) for name in PROXIES),
        ({"Origin": "http://127.0.0.1:8001", "X-Request-Id": "via"}, "127.0.0.1", True),
        ({"Host": "cds.hospital.example"}, "127.0.0.1", False),
        ({"Authorization": ""}, "127.0.0.1", False),
        ({"Authorization": "Basic eDp5"}, "127.0.0.1", False),
        ({"Authorization": "Bearer a.b.c"}, "127.0.0.1", False),
    ],
    ids=["no token", "elsewhere", *PROXIES, "other headers", "by another name", "empty", "Basic", "no JWT"],
)
def test_open_beside_clients_lets_in_who_is_on_this_machine_and_brings_no_token_at_all(
    headers: dict[str, str], address: str, is_let_in: bool
) -> None:
    gate = open_runtime(Config(clients=Path("clients.toml"), open_beside_clients=True), clients=[EHR.client()]).gate
    with Flask(__name__).test_request_context(headers=headers, environ_base={"REMOTE_ADDR": address}):
        if is_let_in:
            assert gate.admit(request, [PATIENT_VIEW]).client.name == "open"
        else:
            with pytest.raises(UnauthorisedError):
                gate.admit(request, [PATIENT_VIEW])


# --- replay


@pytest.mark.requirement("J-16", "J-17", "JWT-14")
def test_a_token_is_accepted_once(service: Service) -> None:
    token = EHR.token()
    assert [service.status(token) for _ in range(3)] == [200, 401, 401]
    assert service.status(EHR.token()) == 200


@pytest.mark.requirement("J-17")
def test_a_token_is_remembered_for_as_long_as_it_could_be_used_again(service: Service) -> None:
    claims = EHR.claims()
    assert service.status(EHR.forged(claims=claims, audience=PATIENT_VIEW)) == 200
    assert service.used == [(EHR.issuer, claims["jti"], claims["exp"] + 60)]


@pytest.mark.requirement("J-17", "JWT-09")
def test_two_issuers_may_use_the_same_jti(serve: Callable[..., Service], web: Web) -> None:
    other = Ehr("other", "https://other.example/jwks.json")
    for ehr in (EHR, other):
        web.publish(ehr.jwks_url, ehr.jwks())
    service = serve(EHR.client(), other.client())
    assert [service.status(ehr.forged(claims={"jti": "1"}, audience=PATIENT_VIEW)) for ehr in (EHR, other)] == [200, 200]


@pytest.mark.requirement("J-18")
def test_a_client_may_use_a_token_again_where_that_is_configured(serve: Callable[..., Service], web: Web) -> None:
    """Inferno sends all its requests with one token."""
    web.publish(EHR.jwks_url, EHR.jwks())
    service, token = serve(EHR.client(replay_check=False)), EHR.token()
    assert [service.status(token) for _ in range(3)] == [200, 200, 200]
    assert service.used == []


@pytest.mark.requirement("J-16", "JWT-15")
def test_hundreds_of_forged_tokens_leave_no_trace_in_the_database(service: Service) -> None:
    first, second, _ = EHR.token().split(".")
    for number in range(300):
        assert service.call({"Authorization": f"Bearer {first}.{second}.{number:0128d}"}).status_code == 401
    with service.runtime.database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(used_tokens)).scalar_one() == 0
    assert service.status(f"{first}.{second}.{EHR.token().split('.')[2]}") == 401


@pytest.mark.requirement("JWT-14", "DB-02")
def test_where_the_database_cannot_tell_the_token_is_not_accepted(
    serve: Callable[..., Service], web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    def down(issuer: str, jti: str, until: int, issued: float) -> bool:
        raise StoreError("down")

    web.publish(EHR.jwks_url, EHR.jwks())
    with caplog.at_level(logging.ERROR, "myositis_cds.security"):
        response = serve(EHR.client(), is_new=down).call(bearer(EHR.token()))
    check_answer(response.status_code, response.headers, response.get_data())
    assert response.status_code == 503
    assert b"MYO-1252" in response.get_data()
    assert response.headers["Retry-After"] == "30"
    assert lines(caplog) == ["event=replay_not_checked client=hospital"]


# --- several audiences


@pytest.mark.requirement("F-11")
@pytest.mark.parametrize("audience", [PATIENT_VIEW, f"{PATIENT_VIEW}/feedback", f"{PATIENT_VIEW}/feedback/"])
def test_an_endpoint_may_go_by_several_urls(audience: str, service: Service) -> None:
    gate: Gate = service.runtime.gate
    gate = Gate(gate.clients, service.keys, gate.is_new)
    with Flask(__name__).test_request_context(headers=bearer(EHR.token(audience))):
        assert gate.admit(request, [PATIENT_VIEW, f"{PATIENT_VIEW}/feedback"]).client.name == "hospital"
    with Flask(__name__).test_request_context(headers=bearer(EHR.token(audience))), pytest.raises(UnauthorisedError):
        gate.admit(request, [f"{PUBLIC_URL}/assess"])


# --- published keys


@pytest.mark.requirement("X-4", "JWT-19")
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(Config(public_url=PUBLIC_URL), id="behind a proxy"),
        pytest.param(Config(host="192.0.2.7", clients=Path("clients.toml")), id="on the network"),
    ],
)
def test_the_cds_hooks_sandbox_is_no_client_where_others_can_reach_the_service(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"client sandbox: the private key of sandbox\.cds-hooks\.org is public"):
        open_runtime(config, clients=[SANDBOX])


@pytest.mark.requirement("X-4", "JWT-19")
def test_the_cds_hooks_sandbox_is_a_client_on_this_machine() -> None:
    assert open_runtime(Config(), clients=[SANDBOX]).gate.serves_this_machine_only


@pytest.mark.requirement("X-4", "JWT-19")
def test_the_published_key_is_known_wherever_it_is_published() -> None:
    key = {
        "kty": "EC",
        "crv": "P-384",
        "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
        "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
        "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
    }
    (found,) = read_jwk_set({"keys": [key]}).keys
    assert found.thumbprint in published_keys.THUMBPRINTS


@pytest.mark.requirement("X-4", "JWT-19")
def test_a_published_key_under_another_name_opens_nothing_beyond_this_machine(
    serve: Callable[..., Service], web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (key,) = read_jwk_set({"keys": [jwk(EHR.ec, kid="ec")]}).keys
    monkeypatch.setattr("server.trust.gate.THUMBPRINTS", frozenset((key.thumbprint,)))
    web.publish(EHR.jwks_url, EHR.jwks())
    assert serve(EHR.client(), serves_this_machine_only=True).status(EHR.token()) == 200
    with caplog.at_level(logging.WARNING, "myositis_cds.security"):
        assert serve(EHR.client()).status(EHR.token()) == 401
    assert "event=refused reason=published-key client=hospital" in lines(caplog)


# --- the access token is another matter


@pytest.mark.requirement("J-24")
def test_an_access_token_does_not_open_the_door(service: Service) -> None:
    call = hook_call("p1", dermatomyositis(), fhirAuthorization={"access_token": EHR.token(), "token_type": "Bearer"})
    assert service.client.post("/cds-services/myositis-patient-view", json=call).status_code == 401
