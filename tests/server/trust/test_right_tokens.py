"""Every token that an EHR may rightly send is accepted, and only for what it is for."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.config import Config
from server.errors import UnauthorisedError
from server.trust.clients import Client
from server.trust.jwk_set import ALGORITHMS
from server.trust.tokens import check_claims, read_token
from tests.server.trust.conftest import Service, Web
from tests.server.trust.ehrs import PATIENT_VIEW, PUBLIC_URL, Ehr, bearer, jwk, private_key, signed
from tests.server.trust.wrong_tokens import CLINIC, HOSPITAL

EHR = Ehr(HOSPITAL, "https://hospital.example/jwks.json")
CLIENT = EHR.client()
NOW = 1_800_000_000


def is_accepted(client: Client, audience: str = PATIENT_VIEW, *, now: float = NOW, **changes: Any) -> bool:
    """Whether claims are accepted at a moment."""
    token = read_token(EHR.forged(claims=EHR.claims(PATIENT_VIEW, NOW) | changes, audience=PATIENT_VIEW))
    try:
        check_claims(token, client, [audience], now)
    except UnauthorisedError:
        return False
    return True


@pytest.mark.requirement("J-10", "J-11", "J-12", "J-15")
@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_es384_and_rs384_are_accepted(algorithm: str, service: Service) -> None:
    assert service.status(EHR.token(algorithm=algorithm)) == 200


@pytest.mark.requirement("J-15", "JWT-01", "JWT-03")
@pytest.mark.parametrize("says_alg", [True, False], ids=["JWK with alg", "JWK without alg"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_algorithm_is_accepted_where_it_is_registered(
    algorithm: str, says_alg: bool, serve: Callable[..., Service], web: Web
) -> None:
    kty, curve = ALGORITHMS[algorithm]
    key = private_key("RSA-2048" if kty == "RSA" else curve or "", "any")
    web.publish(EHR.jwks_url, {"keys": [jwk(key, kid="k", **({"alg": algorithm} if says_alg else {}))]})
    library_name = "EdDSA" if kty == "OKP" else algorithm
    token = signed(EHR.header(alg=algorithm, kid="k"), EHR.claims(), key, library_name)
    assert serve(EHR.client(algorithms=(algorithm,))).status(token) == 200
    assert serve(EHR.client(algorithms=tuple({*ALGORITHMS} - {algorithm}))).status(token) == 401


@pytest.mark.requirement("J-20", "JWT-08")
def test_a_kid_is_any_text(service: Service) -> None:
    assert service.status(EHR.forged({"kid": "a+b/c,d=="}, audience=PATIENT_VIEW)) == 200


@pytest.mark.requirement("J-20")
def test_a_set_that_lists_a_key_twice_once_with_its_private_half_is_used_for_verifying(
    serve: Callable[..., Service], web: Web
) -> None:
    """As Inferno publishes it."""
    private = jwk(EHR.ec, kid="ec", key_ops=["sign"], d="AQAB")
    web.publish(EHR.jwks_url, {"keys": [private, jwk(EHR.ec, kid="ec", key_ops=["verify"])]})
    assert serve(CLIENT).status(EHR.token()) == 200


@pytest.mark.requirement("J-11")
def test_neither_jku_nor_upper_case_typ_is_needed(service: Service) -> None:
    assert service.status(EHR.forged({"jku": None, "typ": "jwt"}, audience=PATIENT_VIEW)) == 200


@pytest.mark.requirement("J-12")
def test_claims_that_nobody_asked_for_are_ignored(service: Service) -> None:
    assert service.status(EHR.forged({"x5t": "x"}, {"sub": "x", "extra": [1]}, audience=PATIENT_VIEW)) == 200


@pytest.mark.requirement("JWT-18")
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_may_be_in_any_case(scheme: str, service: Service) -> None:
    assert service.call({"Authorization": scheme + EHR.token()}).status_code == 200


@pytest.mark.requirement("J-12", "J-17", "JWT-11")
def test_a_token_as_epic_makes_it_is_accepted_where_it_is_configured(serve: Callable[..., Service], web: Web) -> None:
    web.publish(EHR.jwks_url, EHR.jwks())
    claims = EHR.claims("https://typed.in.by.hand.example")
    claims |= {"nbf": claims["iat"] - 300, "exp": claims["iat"] + 900, "sub": "epic-client"}
    token = jwt.encode(claims, EHR.rsa, "RS384", {"kid": "rsa", "jku": EHR.jwks_url})
    epic = EHR.client(audiences=("https://typed.in.by.hand.example",), longest_life=900, algorithms=("RS384",))
    assert serve(epic).status(token) == 200
    assert serve(CLIENT).status(token) == 401


# --- audience


@pytest.mark.requirement("J-13", "JWT-10")
@pytest.mark.parametrize(
    ("audience", "dialect"),
    [
        pytest.param(PATIENT_VIEW, "standard", id="the URL"),
        pytest.param(f"{PATIENT_VIEW}/", "standard", id="with a slash at the end"),
        pytest.param(["https://other.example", PATIENT_VIEW], "standard", id="one of a list"),
        pytest.param(PATIENT_VIEW.replace("/my", "//my"), "sandbox", id="with the double slash of the CDS Hooks sandbox"),
    ],
)
def test_the_token_is_for_the_url_that_is_called(
    audience: str | list[str], dialect: str, serve: Callable[..., Service], web: Web
) -> None:
    web.publish(EHR.jwks_url, EHR.jwks())
    assert serve(EHR.client(dialect=dialect)).status(EHR.token(audience)) == 200


@pytest.mark.requirement("J-13", "JWT-10")
@pytest.mark.parametrize(
    "forged", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}]
)
def test_the_url_is_the_configured_one_whatever_the_request_says_of_its_host(forged: dict[str, str], service: Service) -> None:
    evil = EHR.token(PATIENT_VIEW.replace("cds.example", "evil.example"))
    assert service.call(bearer(evil) | forged).status_code == 401
    assert service.call(bearer(EHR.token()) | forged).status_code == 200


URL_MUTATIONS = st.one_of(
    st.tuples(st.integers(0, len(PATIENT_VIEW)), st.text(max_size=2)).map(
        lambda m: PATIENT_VIEW[: m[0]] + m[1] + PATIENT_VIEW[m[0] :]
    ),
    st.tuples(st.integers(0, len(PATIENT_VIEW)), st.integers(1, 3)).map(
        lambda m: PATIENT_VIEW[: m[0]] + PATIENT_VIEW[m[0] + m[1] :]
    ),
    st.text(max_size=30),
)


@pytest.mark.requirement("J-13", "JWT-10")
@given(URL_MUTATIONS.filter(lambda url: url.isprintable()))
def test_no_other_url_is_nearly_right(url: str) -> None:
    assert is_accepted(CLIENT, aud=url) == (url in (PATIENT_VIEW, f"{PATIENT_VIEW}/"))


@pytest.mark.requirement("D-13")
def test_discovery_has_an_audience_of_its_own_where_it_asks_for_a_token(serve: Callable[..., Service], web: Web) -> None:
    web.publish(EHR.jwks_url, EHR.jwks())
    service = serve(CLIENT, config=Config(public_url=PUBLIC_URL, discovery_needs_token=True))
    assert service.client.get("/cds-services").status_code == 401
    assert service.client.get("/cds-services", headers=bearer(EHR.token())).status_code == 401
    for audience in (f"{PUBLIC_URL}/cds-services", f"{PUBLIC_URL}/cds-services/"):
        assert service.client.get("/cds-services", headers=bearer(EHR.token(audience))).status_code == 200


def test_discovery_is_open_otherwise(service: Service) -> None:
    assert service.client.get("/cds-services").status_code == 200


# --- moments


@pytest.mark.requirement("JWT-11")
@pytest.mark.parametrize(("now", "accepted"), [(NOW + 359.9, True), (NOW + 360, False)])
def test_expiry_is_exact_to_the_second_after_the_skew(now: float, accepted: bool) -> None:
    assert is_accepted(CLIENT, now=now) is accepted


@pytest.mark.requirement("JWT-12")
@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "accepted"), [(60, True), (61, False)])
def test_a_clock_may_be_a_minute_ahead(claim: str, ahead: int, accepted: bool) -> None:
    assert is_accepted(CLIENT, **{claim: NOW + ahead}) is accepted


@pytest.mark.requirement("JWT-11")
@pytest.mark.parametrize(("life", "accepted"), [(300, True), (301, False), (0, False)])
def test_the_longest_life_is_the_clients(life: int, accepted: bool) -> None:
    assert is_accepted(CLIENT, exp=NOW + life) is accepted
    assert is_accepted(EHR.client(longest_life=900), exp=NOW + 900)


@pytest.mark.requirement("JWT-11", "JWT-12")
@given(iat=st.floats(-400, 400), life=st.floats(-10, 400), now=st.floats(-400, 800))
def test_what_is_accepted_follows_from_three_moments(iat: float, life: float, now: float) -> None:
    issued, expires, at = NOW + iat, NOW + iat + life, NOW + now
    right = 0 < expires - issued <= 300 and at < expires + 60 and issued <= at + 60
    assert is_accepted(CLIENT, iat=issued, exp=expires, now=at) is right


# --- who


@pytest.mark.requirement("J-16", "JWT-09")
def test_clients_that_share_an_issuer_are_told_apart_by_tenant(serve: Callable[..., Service], web: Web) -> None:
    web.publish(EHR.jwks_url, EHR.jwks())
    web.publish("https://south.example/jwks.json", {"keys": [jwk(private_key("P-384", "south"), kid="ec")]})
    north = EHR.client(tenants=("north",))
    south = EHR.client(name="south", tenants=("south",), jwks_url="https://south.example/jwks.json")
    service = serve(north, south)
    by_north = {"jku": EHR.jwks_url}
    assert service.status(EHR.forged(by_north, {"tenant": "north"}, audience=PATIENT_VIEW)) == 200
    assert service.status(EHR.forged({"jku": None}, {"tenant": "south"}, audience=PATIENT_VIEW)) == 401
    assert service.status(EHR.forged(claims={"tenant": "west"}, audience=PATIENT_VIEW)) == 401
    assert service.status(EHR.token()) == 401
    own = EHR.forged({"jku": None}, {"tenant": "south"}, audience=PATIENT_VIEW, key=private_key("P-384", "south"))
    assert service.status(own) == 200


@pytest.mark.requirement("JWT-09")
def test_only_a_clients_own_keys_speak_for_it(serve: Callable[..., Service], web: Web) -> None:
    five = [Ehr(f"ehr{number}", f"https://ehr{number}.example/jwks.json") for number in range(5)]
    for ehr in five:
        web.publish(ehr.jwks_url, ehr.jwks())
    service = serve(*(ehr.client() for ehr in five))
    for one, other in product(five, five):
        assert service.status(one.forged(audience=PATIENT_VIEW, key=other.ec)) == (200 if one is other else 401)


@pytest.mark.requirement("J-16")
def test_a_tenant_on_the_list_is_let_in(service: Service, ehrs: Mapping[str, Ehr]) -> None:
    assert service.status(ehrs[CLINIC].forged(claims={"tenant": "south"}, audience=PATIENT_VIEW)) == 200
