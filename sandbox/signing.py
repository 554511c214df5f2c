"""The JWT that goes with every call (CDS Hooks 2.0.1, "Trusting CDS Clients"; conformance J-10 to J-13)."""

import time
import uuid
from dataclasses import dataclass

from sandbox.authorization.addresses import Addresses
from sandbox.dialects import Dialect
from sandbox.fhir_parts import Json
from sandbox.keys import EhrKeys

_BEFORE = 300
"""Seconds by which `nbf` is before `iat` where it is sent (conformance J-12)."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs calls.

    Args:
        keys: with what.
        issuer: address of this EHR, the beginning of every `iss`.
    """

    keys: EhrKeys
    issuer: str

    def token_for(self, url: str, dialect: Dialect) -> str:
        """A token for one call; each has its own `jti`, so none is ever sent twice (J-17).

        Args:
            url: that is called; `aud` (J-13).
            dialect: in which it is called.
        """
        said = claims(self.issuer + dialect.issuer, url, dialect, int(time.time()))
        return self.keys.sign(said, algorithm=dialect.algorithm, header={"jku": Addresses(self.issuer).jwks})


def claims(issuer: str, audience: str, dialect: Dialect, now: int) -> Json:
    """The claims of a token.

    Args:
        issuer: `iss`.
        audience: `aud`.
        dialect: how long it lives, and what else it says.
        now: seconds since 1970.
    """
    said: Json = {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "exp": now + dialect.token_seconds,
        "jti": str(uuid.uuid4()),
    }
    return said | ({"sub": issuer, "nbf": now - _BEFORE} if dialect.names_subject else {})
