"""The private key that a backend client signs with: what files are taken, and what the assertion then says."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import ECKey, OctKey, RSAKey

from server.cohort.fetching.signing_key import ClientKeys, load_client_keys
from server.config import ConfigurationError
from tests.server.cohort.fetching.conftest import write_private

TOKEN_URL = "https://ehr.example/token"
EC, RSA = ECKey.generate_key("P-384"), RSAKey.generate_key(2048)
PRIVATE = {"EC": EC.as_dict(private=True), "RSA": RSA.as_dict(private=True)}


def loaded(folder: Path, text: str, kid: str | None = None) -> ClientKeys:
    return load_client_keys(write_private(folder / "key", text), kid)


def pem(key: Any, encryption: Any = None) -> str:
    how = PrivateFormat.PKCS8, encryption or NoEncryption()
    return str(key.private_bytes(Encoding.PEM, *how).decode())


def claims(assertion: str, key: ECKey | RSAKey, algorithm: str) -> dict[str, Any]:
    """What an assertion says, verified by another library."""
    verifier = jwt.PyJWK(key.as_dict(private=False)).key
    said: dict[str, Any] = jwt.decode(assertion, verifier, [algorithm], audience=TOKEN_URL)
    return said


@pytest.mark.parametrize(
    ("text", "key", "algorithm"),
    [
        pytest.param(json.dumps(PRIVATE["EC"]), EC, "ES384", id="JWK, EC"),
        pytest.param(json.dumps(PRIVATE["RSA"]), RSA, "RS384", id="JWK, RSA"),
        pytest.param(json.dumps({"keys": [PRIVATE["RSA"], PRIVATE["EC"]]}), EC, "ES384", id="JWK Set"),
        pytest.param(pem(EC.private_key), EC, "ES384", id="PEM, EC"),
        pytest.param(pem(RSA.private_key), RSA, "RS384", id="PEM, RSA"),
    ],
)
def test_an_assertion_says_what_smart_asks_for(tmp_path: Path, text: str, key: ECKey | RSAKey, algorithm: str) -> None:
    keys = loaded(tmp_path, text)
    assertion = keys.assertion("we", TOKEN_URL, ())
    header, said = jwt.get_unverified_header(assertion), claims(assertion, key, algorithm)
    assert header == {"alg": algorithm, "kid": key.thumbprint(), "typ": "JWT"}
    assert (said["iss"], said["sub"]) == ("we", "we")
    assert 0 < said["exp"] - time.time() <= 300
    assert said["jti"] != claims(keys.assertion("we", TOKEN_URL, ()), key, algorithm)["jti"]
    assert PRIVATE["EC"]["d"] not in repr(keys)


def test_of_two_keys_the_one_that_the_ehr_verifies_signs(tmp_path: Path) -> None:
    keys = loaded(tmp_path, json.dumps({"keys": [PRIVATE["EC"], PRIVATE["RSA"]]}))
    chosen = [keys.chosen(accepted).algorithm for accepted in (("RS384",), ("RS384", "ES384"), ("PS256",), ())]
    assert chosen == ["RS384", "ES384", "ES384", "ES384"]


def test_the_id_of_a_key_can_be_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, pem(EC.private_key), "ours").keys[0].kid == "ours"
    named = {"keys": [PRIVATE["EC"] | {"kid": "a"}, PRIVATE["RSA"] | {"kid": "b"}]}
    assert [key.kid for key in loaded(tmp_path, json.dumps(named), "b").keys] == ["b"]
    with pytest.raises(ConfigurationError, match="--kid"):
        loaded(tmp_path, json.dumps(named), "c")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param('{"keys": 1}', id="no keys"),
        pytest.param(json.dumps(EC.as_dict(private=False)), id="public"),
        pytest.param(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), id="another curve"),
        pytest.param(json.dumps(OctKey.generate_key(256).as_dict(private=True)), id="a shared secret"),
        pytest.param(json.dumps(PRIVATE["EC"] | {"alg": "ES256"}), id="for another algorithm"),
        pytest.param(pem(EC.private_key, BestAvailableEncryption(b"secret")), id="with a passphrase"),
        pytest.param(pem(ec.generate_private_key(ec.SECP256R1())), id="PEM of another curve"),
        pytest.param(
            rsa.generate_private_key(65537, 2048)
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode(),
            id="a public PEM",
        ),
        pytest.param("-----BEGIN PRIVATE KEY-----", id="half a PEM"),
    ],
)
def test_a_file_without_a_key_that_can_be_used_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a private key of a kind that EHRs take") as caught:
        loaded(tmp_path, text)
    assert str(PRIVATE["EC"]["d"]) not in str(caught.value)


def test_a_file_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key", json.dumps(PRIVATE["EC"]))
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_client_keys(path, None)
