"""Launches that nobody may finish: unknown EHRs, states that are not this browser's, codes and identities that are not ours."""

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from server.application import create_app
from server.config import ConfigurationError
from server.outbound.http import Answer
from server.runtime import open_runtime
from server.smart.configuration import read_configuration
from server.smart.identity import issuer_of
from server.smart.stops import StopError
from server.trust.clients import Client, SmartRegistration
from tests.server.charts import Json
from tests.server.conftest import CONFIG
from tests.server.smart.conftest import Browser, Service, Start
from tests.server.smart.ehr import CLIENT_ID, Ehr
from tests.server.trust.ehrs import jwk, part, private_key

REGISTERED = "https://fhir.hospital.example/R4"
HOSPITAL = Client("hospital", issuer="x", fhir_servers=(REGISTERED,), smart=SmartRegistration(CLIENT_ID), jwks={"keys": []})
ALIKE = (
    "https://fhir.hospital.example.evil.example/R4", "https://fhir.hospital.example@evil.example/R4",
    "https://evil.example/https://fhir.hospital.example/R4", "http://fhir.hospital.example/R4", f"{REGISTERED}/../../evil",
    f"{REGISTERED}?x=1", f"{REGISTERED}#x", f"{REGISTERED}/..%2f", "//fhir.hospital.example/R4", "https://fhir.hospital.example",
    "https://fhir.hospital.example:444/R4", f" {REGISTERED}", f"{REGISTERED}\n", "javascript:alert(1)", "file:///etc/passwd", "",
)  # fmt: skip

pages = create_app(CONFIG, runtime=open_runtime(CONFIG, clients=[HOSPITAL])).test_client()


def urls() -> st.SearchStrategy[str]:
    made = st.tuples(st.sampled_from(("https", "http", "ftp")), st.text(max_size=20), st.text(max_size=20))
    return st.one_of(st.sampled_from(ALIKE), st.text(max_size=60), made.map(lambda one: f"{one[0]}://{one[1]}/{one[2]}"))


@pytest.mark.requirement("SM-01", "SM-06")
@given(
    iss=urls(),
    launch=st.none() | st.text(max_size=10),
    more=st.dictionaries(st.sampled_from(("next", "redirect", "url")), urls()),
)
def test_an_unknown_ehr_is_400_and_nothing_is_fetched_or_redirected(iss: str, launch: str | None, more: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.outbound.http.exchange", lambda *arguments, **more: pytest.fail("something was fetched"))
        query = {"iss": iss, **more} | ({} if launch is None else {"launch": launch})
        response = pages.get("/smart/launch", query_string=query)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert "MYO-1701" in response.text


@pytest.mark.requirement("SM-06")
@settings(max_examples=25)
@given(more=st.dictionaries(st.sampled_from(("next", "redirect", "redirect_uri", "url", "return_to")), urls(), min_size=1))
def test_no_parameter_sends_the_browser_elsewhere(more: dict[str, str]) -> None:
    for path in ("/smart/launch", "/smart/callback", "/smart/patient", "/smart/patient/x"):
        assert "Location" not in pages.get(path, query_string=more).headers


ELSEWHERE = "https://evil.example/"
REDIRECTS = dict.fromkeys(("next", "redirect", "redirect_uri", "redirect_url", "url", "return_to"), ELSEWHERE)


@pytest.mark.requirement("SM-06")
def test_no_parameter_sends_the_browser_elsewhere_from_a_launch_that_succeeds(browser: Browser, ehr: Ehr) -> None:
    begun = browser.get("/smart/launch", query_string={"iss": ehr.base, "launch": "xyz", **REDIRECTS}).headers["Location"]
    assert begun.startswith(f"{ehr.root}/authorize?")
    assert ELSEWHERE not in dict(parse_qsl(urlsplit(begun).query)).values()
    response = browser.get(changed(browser.authorize(begun), **REDIRECTS))
    assert response.status_code == 303
    assert response.headers["Location"].startswith("http://127.0.0.1:8000/smart/patient/")
    assert "evil" not in response.headers["Location"]


HERE = (
    "http://127.0.0.1:9/x", "https://127.0.0.1/x", "https://localhost/x", "https://LOCALHOST./x", "https://a.localhost/x",
    "https://127.1/x", "https://2130706433/x", "https://0x7f000001/x", "https://0/x", "https://[::1]/x", "https://[::]/x",
    "https://[::ffff:127.0.0.1]/x", "http://localhost/x",
)  # fmt: skip


@pytest.mark.requirement("OUT-01", "SM-03")
@pytest.mark.parametrize("url", HERE)
def test_an_ehr_elsewhere_does_not_send_us_to_our_own_machine(url: str) -> None:
    safe = {
        "code_challenge_methods_supported": ["S256"], "authorization_endpoint": "https://a.example/x",
        "token_endpoint": "https://a.example/x",
    }  # fmt: skip
    for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"):
        with pytest.raises(StopError, match="MYO-1702") as stop:
            read_configuration(REGISTERED, safe | {name: url})
        assert stop.value.reason == "unsafe-endpoint"
    configuration = read_configuration(REGISTERED, safe | {"issuer": url})
    with pytest.raises(StopError) as stop:
        issuer_of(configuration, None, lambda *arguments, **more: pytest.fail("something was fetched"))
    assert stop.value.reason == "unsafe-endpoint"


@pytest.mark.requirement("SM-05")
@pytest.mark.parametrize("said", ["https://another.example", "https://issuer.example/", None, 7])
def test_an_openid_configuration_of_another_issuer_is_not_used(said: object) -> None:
    configuration = replace(
        read_configuration(
            REGISTERED,
            {"code_challenge_methods_supported": ["S256"], "authorization_endpoint": "/a", "token_endpoint": "/t"},
        ),
        issuer="https://issuer.example",
    )

    def fetch(url: str, **_: Any) -> Answer:
        assert url == "https://issuer.example/.well-known/openid-configuration"
        return Answer(200, {}, orjson.dumps({"issuer": said, "jwks_uri": "https://issuer.example/keys"}))

    with pytest.raises(StopError) as stop:
        issuer_of(configuration, None, fetch)
    assert stop.value.reason == "issuer"


@pytest.mark.requirement("SM-14")
def test_the_app_is_at_the_root_of_a_host(start: Start, ehr: Ehr) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_PUBLIC_URL\): .* has no path"):
        start(ehr, public_url="https://cds.example/myositis")
    start(public_url="http://127.0.0.1:8000/myositis")  # the hooks may be anywhere


CONFIGURATIONS = [
    pytest.param({"code_challenge_methods_supported": ["plain"]}, id="only plain PKCE"),
    pytest.param({"code_challenge_methods_supported": None}, id="no PKCE"),
    pytest.param({"authorization_endpoint": None}, id="no authorization endpoint"),
    pytest.param({"token_endpoint": None}, id="no token endpoint"),
    pytest.param({"token_endpoint": "http://evil.example/token"}, id="token endpoint without TLS"),
    pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="no URL at all"),
    pytest.param({"authorization_endpoint": "https://a@evil.example/"}, id="a URL with a user"),
    pytest.param({"authorization_endpoint": "https://ehr.example/authorize#x"}, id="a URL with a fragment"),
]


@pytest.mark.requirement("SM-03")
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_an_ehr_that_cannot_launch_safely_is_not_launched_from(browser: Browser, ehr: Ehr, configuration: Json) -> None:
    ehr.configuration = configuration
    response = browser.get("/smart/launch", query_string={"iss": ehr.base, "launch": "xyz"})
    assert (response.status_code, "Location" in response.headers) == (502, False)
    assert "MYO-1702" in response.text


# --- state


def refused(response: object, number: str, status: int) -> None:
    """The page says why, and no launch is open."""
    assert (response.status_code, number in response.text) == (status, True)  # type: ignore[attr-defined]
    assert "Location" not in response.headers  # type: ignore[attr-defined]


def changed(callback: str, **parameters: str | None) -> str:
    """A callback with other parameters."""
    query = dict(parse_qsl(urlsplit(callback).query)) | parameters
    return f"/smart/callback?{urlencode({name: value for name, value in query.items() if value is not None})}"


@pytest.mark.requirement("SM-02")
def test_a_state_that_we_did_not_make_opens_nothing(browser: Browser, ehr: Ehr) -> None:
    callback = browser.authorize(browser.begin(ehr))
    for state in ("", "x" * 43, None):
        refused(browser.get(changed(callback, state=state)), "MYO-1703", 400)
    assert ehr.forms == []


@pytest.mark.requirement("SM-02")
def test_a_callback_works_once(browser: Browser, ehr: Ehr) -> None:
    callback = browser.authorize(browser.begin(ehr))
    assert browser.get(callback).status_code == 303
    refused(browser.get(callback), "MYO-1703", 400)
    assert len(ehr.forms) == 1


@pytest.mark.requirement("SM-02")
def test_a_callback_works_in_the_browser_that_began_only(service: Service, ehr: Ehr) -> None:
    """Whoever sends somebody else a link to the end of a launch of his own reaches nobody (login CSRF)."""
    attacker, victim = service.browser(), service.browser()
    callback = attacker.authorize(attacker.begin(ehr))
    refused(victim.get(callback), "MYO-1703", 400)
    victim.begin(ehr)
    refused(victim.get(callback), "MYO-1703", 400)
    assert attacker.get(callback).status_code == 303


@pytest.mark.requirement("SM-02")
def test_a_cookie_from_before_the_launch_opens_nothing_after_it(service: Service, ehr: Ehr) -> None:
    """Session fixation: the cookie is another one after the callback, and the old one is worth nothing."""
    browser = service.browser()
    url = browser.begin(ehr)
    (before,) = browser.client._cookies.values()  # type: ignore[attr-defined]
    path = urlsplit(browser.get(browser.authorize(url)).headers["Location"]).path
    (after,) = browser.client._cookies.values()  # type: ignore[attr-defined]
    assert (before.key, before.value != after.value) == (after.key, True)
    thief = service.browser()
    thief.client.set_cookie(before.key, before.value)
    assert thief.get(path).status_code == 401
    thief.client.set_cookie(after.key, after.value)
    assert thief.get(path).status_code == 200  # so that it would have been seen


@pytest.mark.requirement("SM-02")
def test_a_launch_whose_key_is_gone_is_one_that_is_not_known(start: Start, ehr: Ehr, tmp_path: Path) -> None:
    """Without a file of keys, a restart ends what was begun."""
    url = f"sqlite:///{tmp_path / 'state.sqlite3'}"
    before, after = (start(ehr, database_url=url).browser() for _ in range(2))
    callback = before.authorize(before.begin(ehr))
    for cookie in before.client._cookies.values():  # type: ignore[attr-defined]
        after.client.set_cookie(cookie.key, cookie.value)
    refused(after.get(callback), "MYO-1703", 400)


@pytest.mark.requirement("SM-02")
def test_a_launch_that_was_begun_but_not_finished_opens_nothing(browser: Browser, ehr: Ehr) -> None:
    browser.begin(ehr)
    (cookie,) = browser.client._cookies.values()  # type: ignore[attr-defined]
    launch = cookie.key.removeprefix("myositis-cds-launch-")
    refused(browser.get(f"/smart/patient/{launch}"), "MYO-1709", 401)


# --- code


@pytest.mark.requirement("SM-03")
def test_a_code_of_another_launch_is_refused_by_its_verifier(browser: Browser, ehr: Ehr) -> None:
    stolen = dict(parse_qsl(urlsplit(browser.authorize(browser.begin(ehr))).query))["code"]
    callback = browser.authorize(browser.begin(ehr))
    refused(browser.get(changed(callback, code=stolen)), "MYO-1706", 502)


@pytest.mark.requirement("SM-03")
def test_a_code_that_is_over_is_said_to_be(browser: Browser, ehr: Ehr) -> None:
    callback = browser.authorize(browser.begin(ehr))
    ehr.codes.clear()
    refused(browser.get(callback), "MYO-1706", 502)


@pytest.mark.parametrize("parameters", [{"code": None}, {"code": ""}, {"code": "x" * 5000}])
def test_an_answer_without_a_code_is_a_refusal(browser: Browser, ehr: Ehr, parameters: dict[str, str | None]) -> None:
    refused(browser.get(changed(browser.authorize(browser.begin(ehr)), **parameters)), "MYO-1704", 403)


def test_what_the_ehr_says_about_a_refusal_is_shown_and_is_no_markup(browser: Browser, ehr: Ehr) -> None:
    ehr.errors = {"error": "access_denied", "error_description": "<script>alert(1)</script> not for you"}
    response = browser.launch(ehr)
    refused(response, "MYO-1704", 403)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; not for you" in response.text


def test_what_anybody_else_says_about_a_refusal_is_not_shown(browser: Browser, ehr: Ehr) -> None:
    browser.begin(ehr)
    response = browser.get("/smart/callback?error=x&error_description=call+this+number&state=made-up")
    assert "call this number" not in response.text


# --- two EHRs


@pytest.mark.requirement("SM-04")
def test_an_answer_in_the_name_of_another_ehr_is_not_used(start: Start, ehr: Ehr, other_ehr: Ehr) -> None:
    """Mix-up: the code of one EHR is never brought to the token endpoint of another."""
    browser = start(ehr, other_ehr).browser()
    callback = browser.authorize(browser.begin(ehr))
    refused(browser.get(changed(callback, iss=other_ehr.base)), "MYO-1705", 400)
    assert (ehr.forms, other_ehr.forms) == ([], [])


@pytest.mark.requirement("SM-04")
def test_an_ehr_that_always_names_itself_must_do_so(browser: Browser, ehr: Ehr) -> None:
    ehr.configuration = {"authorization_response_iss_parameter_supported": True}
    refused(browser.get(browser.authorize(browser.begin(ehr))), "MYO-1705", 400)
    assert browser.get(changed(browser.authorize(browser.begin(ehr)), iss=ehr.base)).status_code == 303


@pytest.mark.requirement("SM-04", "SM-05")
def test_an_identity_that_another_ehr_vouches_for_is_not_believed(start: Start, ehr: Ehr, other_ehr: Ehr) -> None:
    browser = start(ehr, other_ehr).browser()
    ehr.claims = {"iss": other_ehr.base}
    refused(browser.launch(ehr), "MYO-1707", 403)


# --- identity

FOREIGN = private_key("RSA-2048", "somebody else")


def unsigned(claims: Json) -> str:
    return jwt.encode(claims, None, "none")


def by_another_key(claims: Json) -> str:
    return jwt.encode(claims, FOREIGN, "RS256", {"kid": "ehr"})


def by_an_unknown_key(claims: Json) -> str:
    return jwt.encode(claims, FOREIGN, "RS256", {"kid": "other"})


PUBLIC = private_key("RSA-2048", "ehr").public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWK = json.dumps(jwk(private_key("RSA-2048", "ehr"), kid="ehr", use="sig", alg="RS256")).encode()


def by_the_public_key(secret: bytes, algorithm: str = "HS256") -> Callable[[Json], str]:
    """With what everybody knows of the EHR's key as the secret of an HMAC (algorithm confusion); no library would sign so."""

    def sign(claims: Json) -> str:
        content = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'ehr'})}.{part(claims)}"
        return f"{content}.{part(hmac.digest(secret, content.encode(), 'sha256'))}"

    return sign


def changed_afterwards(claims: Json) -> str:
    header, _, signature = Ehr().id_token(claims | {"sub": "other"}).split(".")
    return ".".join((header, unsigned(claims).split(".")[1], signature))


@pytest.mark.requirement("SM-05")
@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        by_another_key,
        by_an_unknown_key,
        changed_afterwards,
        lambda claims: "x.y.z",
        *map(by_the_public_key, (PEM, PEM.strip(), JWK, json.dumps(json.loads(JWK), separators=(",", ":")).encode())),
        by_the_public_key(PEM, "RS256"),
    ],
)
def test_a_forged_id_token_opens_nothing(browser: Browser, ehr: Ehr, sign: object) -> None:
    ehr.sign = sign  # type: ignore[assignment]
    refused(browser.launch(ehr), "MYO-1707", 403)
    assert ehr.valid == set()  # what is not used is given back


@pytest.mark.requirement("SM-05")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"aud": "another-app"}, {"aud": None}, {"aud": [CLIENT_ID, "other"]},
        {"azp": "another-app"}, {"aud": [CLIENT_ID], "azp": "another-app"}, {"azp": 7}, {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": True}, {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}, {"nbf": "now"}, {"iat": float("nan")}, {"exp": 10**400},
        {"exp": int(time.time()) - 3600}, {"exp": None}, {"exp": "soon"}, {"nonce": "another"}, {"nonce": None},
        {"fhirUser": "https://evil.example/fhir/Practitioner/1"}, {"fhirUser": "../../Practitioner/1"}, {"fhirUser": 7},
    ],
)  # fmt: skip
def test_an_id_token_that_says_something_else_opens_nothing(browser: Browser, ehr: Ehr, claims: Json) -> None:
    ehr.claims = claims
    refused(browser.launch(ehr), "MYO-1707", 403)


@pytest.mark.requirement("SM-05")
@pytest.mark.parametrize(
    "claims",
    [
        {"fhirUser": "Practitioner/1"},
        {"fhirUser": None},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID},
        {"azp": CLIENT_ID},
        {"iat": int(time.time()) + 30, "nbf": int(time.time()) + 30},
        {"exp": time.time() + 3600.5},
    ],
)
def test_an_id_token_may_name_the_user_briefly_or_not_at_all(browser: Browser, ehr: Ehr, claims: Json) -> None:
    ehr.claims = claims
    assert browser.launch(ehr).status_code == 303


@pytest.mark.requirement("SM-05", "SM-10")
def test_an_identity_that_was_granted_must_come_and_one_that_was_not_need_not(browser: Browser, ehr: Ehr) -> None:
    ehr.response = {"id_token": None}
    refused(browser.launch(ehr), "MYO-1707", 403)
    ehr.response = {"id_token": None, "scope": "launch patient/*.rs"}
    assert browser.launch(ehr).status_code == 303


# --- what was granted


@pytest.mark.requirement("SM-10")
@pytest.mark.parametrize("response", [{"patient": None}, {"patient": ""}, {"patient": "../Patient/2"}, {"patient": ["7"]}])
def test_a_launch_without_a_patient_stops(browser: Browser, ehr: Ehr, response: Json) -> None:
    ehr.response = response
    refused(browser.launch(ehr), "MYO-1708", 400)
    assert (ehr.valid, ehr.refresh_tokens) == (set(), set())  # what is not used is given back


@pytest.mark.requirement("SM-10")
@pytest.mark.parametrize("scope", ["openid fhirUser launch", "openid user/Practitioner.r", "patient/*.cud", ""])
def test_a_launch_with_no_data_to_read_stops(browser: Browser, ehr: Ehr, scope: str) -> None:
    ehr.response = {"scope": scope}
    refused(browser.launch(ehr), "MYO-1714", 403)
    assert (ehr.valid, ehr.refresh_tokens) == (set(), set())


@pytest.mark.requirement("SM-10")
@pytest.mark.parametrize(
    "response",
    [{"token_type": "mac"}, {"token_type": None}, {"access_token": None}, {"access_token": "two\nlines"}, {"scope": 7}],
)
def test_a_token_that_cannot_be_used_stops(browser: Browser, ehr: Ehr, response: Json) -> None:
    ehr.response = response
    refused(browser.launch(ehr), "MYO-1706", 502)


def test_after_a_launch_that_failed_one_without_a_chart_can_be_tried_again(browser: Browser, ehr: Ehr) -> None:
    ehr.response = {"patient": None}
    assert "/smart/launch?iss=" in browser.launch(ehr, None).text
    assert "/smart/launch?iss=" not in browser.launch(ehr).text
