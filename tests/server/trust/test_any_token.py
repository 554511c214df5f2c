"""Whatever somebody sends as a token, the answer is yes or no, and never a failure."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from server.errors import UnauthorisedError
from server.trust.tokens import read_token
from tests.server.trust.conftest import Service
from tests.server.trust.ehrs import Ehr, signed

EHR = Ehr("hospital", "https://hospital.example/jwks.json")

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
HEADER = st.sampled_from(("alg", "kid", "typ", "jku", "crit", "jwk", "x5c", "x5t", "cty", "new"))
CLAIM = st.sampled_from(("iss", "aud", "exp", "iat", "nbf", "jti", "tenant", "sub"))


def is_read(make: Callable[[], str]) -> bool:
    try:
        return bool(read_token(make()))
    except UnauthorisedError:
        return False


@pytest.mark.requirement("J-11", "JWT-04")
@given(name=HEADER, value=JSON_VALUES)
def test_any_value_of_a_header_parameter_is_read_or_refused(name: str, value: Any) -> None:
    read = is_read(lambda: signed(EHR.header() | {name: value}, EHR.claims(), EHR.ec))
    if name in ("crit", "jwk", "x5c") or (name in ("alg", "kid", "jku") and not (isinstance(value, str) and value)):
        assert not read


@pytest.mark.requirement("J-12", "JWT-11", "JWT-12", "JWT-13")
@given(name=CLAIM, value=JSON_VALUES)
def test_any_value_of_a_claim_is_read_or_refused(name: str, value: Any) -> None:
    read = is_read(lambda: signed(EHR.header(), EHR.claims() | {name: value}, EHR.ec))
    if name in ("exp", "iat", "nbf"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        assert read == (is_number and 0 <= value < 253_402_300_800)
    elif name == "jti":
        assert read == (isinstance(value, str) and 0 < len(value) <= 256 and value.isprintable())


@pytest.mark.requirement("JWT-18")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60))
def test_any_header_is_answered_with_no(service: Service, value: str) -> None:
    assert service.call({"Authorization": value}).status_code == 401


@pytest.mark.requirement("J-10", "JWT-18")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.=+/ "))
def test_one_changed_character_anywhere_in_a_token_makes_it_wrong(service: Service, position: int, character: str) -> None:
    token = EHR.token()
    at = position % len(token)
    changed = token[:at] + character + token[at + 1 :]
    assume(changed != token)
    assert service.status(changed) == 401
