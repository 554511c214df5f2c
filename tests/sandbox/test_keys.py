"""The keys of the EHR: what it signs, others can verify with what it publishes."""

import jwt
import pytest
from jwt import PyJWKSet

from sandbox.keys import EhrKeys


@pytest.fixture(scope="module")
def keys() -> EhrKeys:
    return EhrKeys()


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_a_token_is_verified_with_the_key_that_it_names(keys: EhrKeys, algorithm: str) -> None:
    token = keys.sign({"iss": "sandbox"}, algorithm=algorithm, header={"jku": "http://127.0.0.1:8001/.well-known/jwks.json"})
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", algorithm, keys.key_id(algorithm))
    assert header["jku"].endswith("/.well-known/jwks.json")
    published = PyJWKSet.from_dict(keys.jwks())
    assert jwt.decode(token, published[header["kid"]], [algorithm]) == {"iss": "sandbox"}


def test_another_ehrs_key_verifies_nothing(keys: EhrKeys) -> None:
    other = PyJWKSet.from_dict(EhrKeys().jwks())
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(keys.sign({}, algorithm="ES384"), other.keys[0], ["ES384"])


def test_there_is_no_key_for_an_unsafe_algorithm(keys: EhrKeys) -> None:
    for algorithm in ("none", "HS256"):
        with pytest.raises(KeyError):
            keys.sign({}, algorithm=algorithm)
