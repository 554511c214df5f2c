"""Who signed in: the id token, verified (OpenID Connect Core 3.1.3.7; A-9; SM-05)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from server.ehr.address import below
from server.outbound.http import Answer, get
from server.smart.configuration import OPENID, SmartConfiguration, endpoint, fetch_json, may_be_called
from server.smart.stops import NO_CONFIGURATION, StopError
from server.trust.claims import SKEW, json_object, moment
from server.trust.jwk_set import ALGORITHMS, JwkSet, JwkSetError, VerificationKey, read_jwk_set

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
    if name and not may_be_called(name, configuration.base):
        raise StopError(NO_CONFIGURATION, "unsafe-endpoint")
    if not (name and jwks_uri):
        base = name.rstrip("/") or configuration.base
        document = fetch_json(base + OPENID, ca_file, fetch)
        document = document if isinstance(document, dict) else {}
        said = document.get("issuer")
        if name and said != name:
            raise StopError(NO_CONFIGURATION, "issuer")  # OpenID Connect Discovery 4.3
        name = said if isinstance(said, str) else ""
        jwks_uri = jwks_uri or endpoint(base, document, "jwks_uri")
    if not (name and jwks_uri):
        raise StopError(NO_CONFIGURATION, "no-issuer")
    try:
        return Issuer(name, read_jwk_set(fetch_json(jwks_uri, ca_file, fetch)))
    except JwkSetError as error:
        raise StopError(NO_CONFIGURATION, error.reason) from error


def check_identity(id_token: Any, issuer: Issuer, *, client_id: str, nonce: str, base: str, now: float) -> None:
    """Whether the EHR vouches for who signed in: for us, now, in answer to our question. Who it is we need not know.

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
    _check_moments(claims, now)
    if claims.get("iss") != issuer.name:
        raise IdentityError("issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", None if len(audiences) > 1 else client_id)
    if client_id not in audiences or party != client_id:
        raise IdentityError("audience")
    if claims.get("nonce") != nonce:
        raise IdentityError("nonce")
    _check_user(claims.get("fhirUser"), base)


def _check_moments(claims: dict[str, Any], now: float) -> None:
    try:
        expires = moment(claims.get("exp"))
        begins = max((moment(claims[name]) for name in ("nbf", "iat") if name in claims), default=0.0)
    except ValueError:
        raise IdentityError("malformed") from None
    if now >= expires + SKEW:
        raise IdentityError("expired")
    if begins > now + SKEW:
        raise IdentityError("not-yet")


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


def _check_user(value: Any, base: str) -> None:
    """A reference that leads elsewhere is of somebody whom this EHR does not know."""
    if value is not None and (not isinstance(value, str) or below(base, value, f"{base}/") is None):
        raise IdentityError("fhir-user")


def _object(part: str) -> dict[str, Any]:
    try:
        return json_object(part)
    except ValueError:
        raise IdentityError("malformed") from None
