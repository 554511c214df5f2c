"""Who signed in: the id token, verified (OpenID Connect Core 3.1.3.7; A-9; SM-05)."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from server.ehr.address import below
from server.outbound.http import Answer, get
from server.smart.configuration import OPENID, SmartConfiguration, endpoint, fetch_json
from server.smart.stops import NO_CONFIGURATION, StopError
from server.trust.jwk_set import ALGORITHMS, JwkSet, JwkSetError, VerificationKey, read_jwk_set
from server.trust.tokens import SKEW
from server.urls import is_secure_url

_LONGEST = 32 * 1024
_LIBRARY_NAMES = {"EdDSA": "Ed25519"}


class IdentityError(Exception):
    """The id token is not to be believed.

    Args:
        reason: one word out of a closed set, fit for a log.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs id tokens.

    Args:
        name: their `iss`.
        keys: theirs.
    """

    name: str
    keys: JwkSet


def issuer_of(configuration: SmartConfiguration, ca_file: Path | None, fetch: Callable[..., Answer] = get) -> Issuer:
    """Who signs the id tokens of an EHR; the keys are fetched for each launch, so that one that was taken back opens nothing.

    Args:
        configuration: of the EHR; where it does not name issuer and keys, its OpenID configuration does.
        ca_file: certificates to trust besides the system's.
        fetch: `server.outbound.http.get`.

    Raises:
        StopError: they cannot be found out.
    """
    name, jwks_uri = configuration.issuer, configuration.jwks_uri
    if not (name and jwks_uri):
        base = name.rstrip("/") if is_secure_url(name) else configuration.base
        document = fetch_json(base + OPENID, ca_file, fetch)
        document = document if isinstance(document, dict) else {}
        name = name or str(document.get("issuer") or "")
        jwks_uri = jwks_uri or endpoint(base, document, "jwks_uri")
    if not (name and jwks_uri):
        raise StopError(NO_CONFIGURATION, "no-issuer")
    try:
        return Issuer(name, read_jwk_set(fetch_json(jwks_uri, ca_file, fetch)))
    except JwkSetError as error:
        raise StopError(NO_CONFIGURATION, error.reason) from error


def verified_user(id_token: Any, issuer: Issuer, *, client_id: str, nonce: str, base: str, now: float) -> str:
    """Who signed in, as a reference on the FHIR server; empty where the token names nobody.

    Args:
        id_token: as it came.
        issuer: who must have signed it.
        client_id: ours, whom it must be for.
        nonce: that we asked with.
        base: FHIR base URL, under which the user must be.
        now: seconds since 1970.

    Raises:
        IdentityError: it is not to be believed.
    """
    if not isinstance(id_token, str) or len(id_token) > _LONGEST or id_token.count(".") != 2:
        raise IdentityError("no-id-token")
    header, payload, _ = id_token.split(".")
    _check_signature(id_token, _object(header), issuer.keys)
    claims = _object(payload)
    if claims.get("iss") != issuer.name:
        raise IdentityError("issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != client_id):
        raise IdentityError("audience")
    if not _is_number(claims.get("exp")) or now >= claims["exp"] + SKEW:
        raise IdentityError("expired")
    if claims.get("nonce") != nonce:
        raise IdentityError("nonce")
    return _user(claims.get("fhirUser"), base)


def _check_signature(id_token: str, header: dict[str, Any], keys: JwkSet) -> None:
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
        raise IdentityError("algorithm")
    fitting = [one for one in keys.keys if algorithm in one.algorithms and kid in (None, one.kid)]
    name = _LIBRARY_NAMES.get(algorithm, algorithm)
    if not any(_verifies(id_token, one, name) for one in fitting):
        raise IdentityError("signature" if fitting else "unknown-key")


def _verifies(id_token: str, key: VerificationKey, algorithm: str) -> bool:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(id_token, key.key, registry=registry)
    except (JoseError, ValueError):
        return False
    return True


def _user(value: Any, base: str) -> str:
    """A reference relative to the base; one that leads elsewhere is of somebody whom this EHR does not know."""
    if value is None:
        return ""
    url = below(base, value, f"{base}/") if isinstance(value, str) else None
    if url is None:
        raise IdentityError("fhir-user")
    return url.removeprefix(f"{base}/")


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise IdentityError("malformed") from None
    if not isinstance(value, dict):
        raise IdentityError("malformed")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
