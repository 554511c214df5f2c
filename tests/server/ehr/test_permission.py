"""May we call back, and where? (OUT-01, OUT-16; T-8, T-11, T-12)."""

from typing import Any

import pytest

from server.cds_hooks.envelope import Authorization, HookCall
from server.ehr.permission import FhirServer, server_to_call
from server.trust.clients import OPEN_CLIENT, Client

BASE = "https://ehr.example/fhir"
LOCAL = "http://127.0.0.1:8002/fhir"
CLIENT = Client("hospital", fhir_servers=("https://other.example/fhir", f"{BASE}/"))
TOKEN = Authorization("abc.DEF-123_~+/=")


def asked(client: Client = CLIENT, server: str | None = BASE, authorization: Authorization | None = TOKEN) -> Any:
    return server_to_call(HookCall("1", "p1", {}, fhir_server=server, authorization=authorization), client)


@pytest.mark.requirement("T-8", "OUT-01")
@pytest.mark.parametrize("sent", [BASE, f"{BASE}/", "HTTPS://EHR.EXAMPLE:443/fhir"])
def test_a_registered_server_may_be_called_with_the_token_that_came(sent: str) -> None:
    assert asked(server=sent) == FhirServer(BASE, TOKEN.access_token)


@pytest.mark.requirement("T-11", "OUT-01")
@pytest.mark.parametrize(
    "sent", ["https://evil.example/fhir", f"{BASE}/x", "https://ehr.example", "http://ehr.example/fhir", "x"]
)
def test_no_other_server_is_called(sent: str) -> None:
    assert asked(server=sent) == "not-registered"


def test_a_client_that_is_not_registered_is_never_called_back() -> None:
    assert asked(OPEN_CLIENT) == "not-registered"
    assert asked(OPEN_CLIENT, server=LOCAL) == "not-registered"


def test_a_registered_base_that_cannot_be_one_lets_nobody_in() -> None:
    assert asked(Client("x", fhir_servers=("nonsense",)), server="other nonsense") == "not-registered"


@pytest.mark.parametrize("sent", [None, ""])
def test_without_a_server_there_is_nothing_to_call(sent: str | None) -> None:
    assert asked(server=sent) == "no-server"


@pytest.mark.requirement("T-12")
def test_without_a_token_only_a_development_server_on_this_machine_is_called() -> None:
    assert asked(authorization=None) == "no-token"
    developer = Client("developer", fhir_servers=(LOCAL, BASE), fhir_without_token=True)
    assert asked(developer, LOCAL, None) == FhirServer(LOCAL)
    assert asked(developer, BASE, None) == "no-token"
    assert asked(Client("x", fhir_servers=(LOCAL,)), LOCAL, None) == "no-token"


@pytest.mark.requirement("OUT-16", "T-2")
def test_a_token_for_another_patient_is_not_used() -> None:
    assert asked(authorization=Authorization("abc", "p2")) == "token-of-another-patient"
    assert asked(authorization=Authorization("abc", "p1")) == FhirServer(BASE, "abc")


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "a\n", "é", "\x7f", "x" * 20_000])
def test_a_token_that_could_be_more_than_a_token_is_not_sent(token: str) -> None:
    assert asked(authorization=Authorization(token)) == "bad-token"


@pytest.mark.requirement("OUT-17", "T-7")
def test_a_token_shows_in_no_representation() -> None:
    assert "abc.DEF" not in repr(asked())
