"""EHRs that sign tokens, with PyJWT, so independently of the library that verifies them."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from server.trust.clients import Client

Json = dict[str, Any]
PUBLIC_URL = "https://cds.example"
PATIENT_VIEW = f"{PUBLIC_URL}/cds-services/myositis-patient-view"


@cache
def private_key(kind: str, name: str) -> Any:
    """A key of a kind (`P-384`, `RSA-2048` …); the same for the same name."""
    match kind.split("-"):
        case ["P", size]:
            return ec.generate_private_key({"256": ec.SECP256R1, "384": ec.SECP384R1, "521": ec.SECP521R1}[size]())
        case ["RSA", size]:
            return rsa.generate_private_key(65537, int(size))
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, **members: Any) -> Json:
    """The public JWK of a private key."""
    kinds = {
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    algorithm = next(algorithm for kind, algorithm in kinds.items() if isinstance(key, kind))
    public = json.loads(algorithm.to_jwk(key.public_key()))
    return {"kty": public["kty"], **{name: public[name] for name in ("crv", "x", "y", "n", "e") if name in public}, **members}


def part(content: bytes | str | Mapping[str, Any]) -> str:
    """A part of a token in base64url."""
    if isinstance(content, Mapping):
        content = json.dumps(content)
    return urlsafe_b64encode(content if isinstance(content, bytes) else content.encode()).rstrip(b"=").decode()


def signed(header: str | Mapping[str, Any], claims: bytes | str | Mapping[str, Any], key: Any, algorithm: str = "ES384") -> str:
    """A token of any content, even one that no library would make."""
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{part(jwt.get_algorithm_by_name(algorithm).sign(content.encode(), key))}"


@dataclass(frozen=True)
class Ehr:
    """An EHR with an ES384 and an RS384 key."""

    name: str
    jwks_url: str

    @property
    def issuer(self) -> str:
        return f"https://{self.name}.example"

    @property
    def ec(self) -> Any:
        return private_key("P-384", self.name)

    @property
    def rsa(self) -> Any:
        return private_key("RSA-2048", self.name)

    def jwks(self, *more: Json) -> Json:
        """Its JWK Set."""
        return {"keys": [jwk(self.ec, kid="ec", alg="ES384", use="sig"), jwk(self.rsa, kid="rsa", alg="RS384"), *more]}

    def client(self, **settings: Any) -> Client:
        """What it is registered as."""
        return replace(Client(self.name, self.issuer, self.jwks_url), **settings)

    def claims(self, audience: str | list[str] = PATIENT_VIEW, now: float | None = None, **changes: Any) -> Json:
        """Claims as CDS Hooks wants them; with `changes`, where None leaves a claim out."""
        now = time.time() if now is None else now
        claims = {"iss": self.issuer, "aud": audience, "exp": int(now) + 300, "iat": int(now), "jti": str(uuid4())} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def header(self, **changes: Any) -> Json:
        """A header of the same kind."""
        header = {"alg": "ES384", "typ": "JWT", "kid": "ec", "jku": self.jwks_url} | changes
        return {name: value for name, value in header.items() if value is not None}

    def token(self, audience: str | list[str] = PATIENT_VIEW, algorithm: str = "ES384", **changes: Any) -> str:
        """A token as it should be, made by PyJWT alone."""
        key, kid = (self.rsa, "rsa") if algorithm.startswith(("RS", "PS")) else (self.ec, "ec")
        return jwt.encode(self.claims(audience, **changes), key, algorithm, self.header(alg=algorithm, kid=kid))

    def forged(self, header: Json | None = None, claims: Json | None = None, *, audience: str, key: Any = None) -> str:
        """A token with changes to header and claims, signed with ES384."""
        return signed(self.header(**(header or {})), self.claims(audience, **(claims or {})), key or self.ec)


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
