"""JWK Sets as they really come: incomplete, doubled, broken."""

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import UnauthorisedError
from server.trust.jwk_set import JwkSetError, public_part, read_jwk_set
from tests.server.trust.ehrs import Json, jwk, private_key

P_384 = private_key("P-384", "one")
RSA = private_key("RSA-2048", "one")


def usable(**members: Any) -> Json:
    return jwk(P_384, kid="one") | members


@pytest.mark.requirement("J-20", "JWT-02", "JWT-03")
@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param("a string", "malformed", id="no object"),
        pytest.param({}, "malformed", id="empty"),
        pytest.param(usable(kty=["EC"]), "malformed", id="key type as a list"),
        pytest.param(usable(kty="oct"), "key-type", id="symmetric"),
        pytest.param(usable(kty="AKP"), "key-type", id="a key type of the future"),
        pytest.param(jwk(P_384), "no-kid", id="no kid"),
        pytest.param(usable(kid=""), "no-kid", id="empty kid"),
        pytest.param(usable(kid=7), "no-kid", id="kid as a number"),
        pytest.param(usable(use="enc"), "use", id="for encryption"),
        pytest.param(usable(use=None), "use", id="use null"),
        pytest.param(usable(key_ops=["sign"]), "key-operations", id="for signing"),
        pytest.param(usable(key_ops="verify"), "key-operations", id="operations as text"),
        pytest.param(usable(crv="secp256k1"), "curve", id="a curve that is not ours"),
        pytest.param(usable(crv="P-256"), "malformed", id="a point that is not on the curve"),
        pytest.param(usable(x="AAAA"), "malformed", id="a short coordinate"),
        pytest.param(usable(x="ä"), "malformed", id="a coordinate that is not base64"),
        pytest.param(usable(x=None), "malformed", id="a coordinate that is null"),
        pytest.param(usable(alg="ES256"), "algorithm", id="algorithm of another curve"),
        pytest.param(usable(alg="HS256"), "algorithm", id="symmetric algorithm"),
        pytest.param(usable(alg=["ES384"]), "algorithm", id="algorithm as a list"),
        pytest.param(jwk(private_key("RSA-1024", "weak"), kid="r"), "rsa-length", id="RSA of 1024 bits"),
        pytest.param(jwk(RSA, kid="r") | {"n": "A" * 100_000}, "rsa-length", id="RSA of nothing but zeros"),
        pytest.param(jwk(RSA, kid="r") | {"n": "_" * 10_000}, "rsa-length", id="RSA of 60,000 bits"),
        pytest.param(jwk(RSA, kid="r") | {"n": "ä"}, "rsa-length", id="RSA that is not base64"),
        pytest.param(jwk(RSA, kid="r") | {"e": "AQ"}, "malformed", id="RSA with exponent 1"),
        pytest.param({"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "o"}, "curve", id="a key for key agreement"),
    ],
)
def test_an_entry_that_cannot_verify_is_left_out_with_a_reason(entry: Any, reason: str) -> None:
    found = read_jwk_set({"keys": [entry, usable()]})
    assert found.unusable == ((1, reason),)
    assert [key.kid for key in found.keys] == ["one"]


@pytest.mark.requirement("JWT-03")
@pytest.mark.parametrize(
    "more", [{}, {"alg": "ES384"}, {"use": "sig"}, {"key_ops": ["verify"]}, {"key_ops": ["sign", "verify"]}, {"x5c": [1]}]
)
def test_a_key_needs_neither_alg_nor_use_nor_key_ops(more: Json) -> None:
    key = read_jwk_set({"keys": [usable(**more)]}).find("one", "ES384")
    assert key is not None
    assert key.algorithms == {"ES384"}


@pytest.mark.requirement("JWT-03")
def test_an_rsa_key_without_alg_verifies_with_every_rsa_algorithm() -> None:
    (key,) = read_jwk_set({"keys": [jwk(RSA, kid="r")]}).keys
    assert key.algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


@pytest.mark.requirement("J-20", "JWT-08")
def test_one_kid_may_name_keys_of_two_types_or_one_key_twice_but_not_two_keys_of_a_type() -> None:
    both = [jwk(P_384, kid="k"), jwk(RSA, kid="k")]
    found = read_jwk_set({"keys": [*both, *both]})
    assert found.find("k", "ES384") != found.find("k", "RS384")
    doubled = read_jwk_set({"keys": [*both, jwk(private_key("P-384", "two"), kid="k")]})
    assert doubled.find("k", "RS384") is not None
    with pytest.raises(UnauthorisedError) as refusal:
        doubled.find("k", "ES384")
    assert refusal.value.reason == "ambiguous-key"


@pytest.mark.requirement("J-20")
def test_no_private_parameter_is_kept() -> None:
    document = {
        "keys": [usable(d="Canary"), jwk(RSA, kid="r") | {"p": "Canary", "d": "Canary"}, {"kty": "oct", "k": "Canary"}, 7]
    }
    found = read_jwk_set(document)
    assert not any(key.key.is_private for key in found.keys)
    assert "Canary" not in json.dumps([key.key.as_dict() for key in found.keys])
    assert found.reveals_private == (1, 2)
    assert "Canary" not in json.dumps(public_part(document))
    assert read_jwk_set(public_part(document)).keys == found.keys


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": "x"}, {"jwks": []}])
def test_what_is_not_a_jwk_set_is_said_to_be_none(document: Any) -> None:
    with pytest.raises(JwkSetError, match="not-a-jwk-set"):
        read_jwk_set(document)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = [jwk(P_384, kid="k", alg="ES384", use="sig"), jwk(RSA, kid="k"), jwk(private_key("Ed25519", "one"), kid="k")]


@pytest.mark.requirement("JWT-06")
@given(
    key=st.sampled_from(KEYS),
    member=st.sampled_from(("kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e", "d")),
    value=JSON_VALUES,
)
def test_no_member_of_a_key_can_make_reading_fail(key: Json, member: str, value: Any) -> None:
    with warnings.catch_warnings(action="error"):
        found = read_jwk_set({"keys": [key | {member: value}]})
    assert len(found.keys) + len(found.unusable) == 1
