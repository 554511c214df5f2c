"""One bearer token: read strictly, held against what a client may say, its signature verified (conformance J-10 to J-16).

RFC 7515 and 7519 leave much open that nobody needs here; whatever is not needed is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from joserfc import jws
from joserfc.errors import JoseError

from server.cds_hooks.dialect_table import DIALECTS
from server.errors import UnauthorisedError
from server.trust.claims import SKEW, json_object, moment
from server.trust.clients import Client
from server.trust.jwk_set import VerificationKey
from server.trust.reasons import Reason

_LONGEST_HEADER = 16 * 1024
_LONGEST_TEXT = 256  # characters of a jti or tenant, as in the table of used tokens
_BEARER = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)
_NOT_SUPPORTED = frozenset(("crit", "b64", "zip", "enc", "jwk", "x5u", "x5c"))
"""Header parameters that change what is signed, or that bring a key along (threat JWT-04)."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says; nothing of it is true yet.

    Args:
        text: the token itself, never shown.
        algorithm, kid, jwk_set_url: of its header; the URL only where it has one.
        issuer, audience, jti, tenant: of its claims; a tenant only where it has one.
        expires, issued: seconds since 1970.
        not_before: seconds since 1970; None where it does not say.
    """

    text: str = field(repr=False)
    algorithm: str
    kid: str
    jwk_set_url: str | None
    issuer: str
    audience: frozenset[str]
    expires: float
    issued: float
    not_before: float | None
    jti: str
    tenant: str | None


def bearer_token(request: Request) -> str:
    """The token in the one `Authorization` header; a token anywhere else is not looked for (threat JWT-18).

    Raises:
        UnauthorisedError: none, several, too long, another scheme, or not the compact serialization.
    """
    values = request.headers.getlist("Authorization")
    if not values:
        raise UnauthorisedError(Reason.NO_TOKEN)
    if sum(map(len, values)) > _LONGEST_HEADER:
        raise UnauthorisedError(Reason.TOO_LONG)
    # HTTP servers join several headers with a comma, which no token has.
    found = _BEARER.fullmatch(",".join(values))
    if not found:
        raise UnauthorisedError(Reason.NOT_BEARER)
    return found[1]


def read_token(text: str) -> Token:
    """Read a token without believing it.

    Args:
        text: in the compact serialization.

    Raises:
        UnauthorisedError: header or claims are not as CDS Hooks wants them.
    """
    first, second, _ = text.split(".")
    header = _object(first, Reason.HEADER)
    if _NOT_SUPPORTED & header.keys() or str(header.get("typ")).upper() != "JWT":
        raise UnauthorisedError(Reason.HEADER)
    claims = _object(second, Reason.CLAIMS)
    return Token(
        text=text,
        algorithm=_text(header, "alg", Reason.HEADER),
        kid=_text(header, "kid", Reason.HEADER),
        jwk_set_url=_text(header, "jku", Reason.HEADER) if "jku" in header else None,
        issuer=_text(claims, "iss", Reason.CLAIMS),
        audience=_audience(claims.get("aud")),
        expires=_moment(claims.get("exp")),
        issued=_moment(claims.get("iat")),
        not_before=_moment(claims["nbf"]) if "nbf" in claims else None,
        jti=_short(_text(claims, "jti", Reason.CLAIMS)),
        tenant=_short(_text(claims, "tenant", Reason.CLAIMS)) if "tenant" in claims else None,
    )


def check_claims(token: Token, client: Client, audiences: Sequence[str], now: float) -> None:
    """Hold a token against what its client may say, in the order of conformance J-16.

    Args:
        token: its issuer is the client's.
        client: registered.
        audiences: URLs of the endpoint that was called.
        now: seconds since 1970.

    Raises:
        UnauthorisedError: it says something else.
    """
    if token.audience.isdisjoint(_accepted(audiences, client)):
        raise UnauthorisedError(Reason.AUDIENCE)
    if now >= token.expires + SKEW:
        raise UnauthorisedError(Reason.EXPIRED)
    if max(token.issued, token.not_before or 0) > now + SKEW:
        raise UnauthorisedError(Reason.NOT_YET)
    if not 0 < token.expires - token.issued <= client.longest_life:
        raise UnauthorisedError(Reason.LIFE)
    if client.tenants and token.tenant not in client.tenants:
        raise UnauthorisedError(Reason.TENANT)
    if token.algorithm not in client.algorithms:
        raise UnauthorisedError(Reason.ALGORITHM)
    if token.jwk_set_url is not None and token.jwk_set_url != client.jwks_url:
        raise UnauthorisedError(Reason.JWK_SET_URL)


def check_signature(token: Token, key: VerificationKey) -> None:
    """Verify the signature.

    Args:
        token: its algorithm is one that the client is registered with.
        key: that the token names, among the client's.

    Raises:
        UnauthorisedError: somebody else signed, or something was changed since.
    """
    registry = _Registry(algorithms=[_library_name(token.algorithm)], strict_check_header=False)
    try:
        jws.deserialize_compact(token.text, key.key, registry=registry)
    except (JoseError, ValueError):
        raise UnauthorisedError(Reason.SIGNATURE) from None


class _Registry(jws.JWSRegistry):
    max_header_length = max_signature_length = _LONGEST_HEADER  # the library's 512 bytes are few for a long `jku`

    def get_alg(self, name: str) -> Any:
        return super().get_alg(_library_name(name))


def _library_name(algorithm: str) -> str:
    """RFC 9864 calls EdDSA by the name of its curve, and Ed25519 is the only one that we accept."""
    return "Ed25519" if algorithm == "EdDSA" else algorithm


def _accepted(audiences: Iterable[str], client: Client) -> frozenset[str]:
    """What the token may be for (conformance J-13), also as the client's dialect spells it (X-3)."""
    dialect = DIALECTS[client.dialect]
    return frozenset((*(spelling for url in audiences for spelling in dialect.audiences(url)), *client.audiences))


def _object(part: str, reason: Reason) -> dict[str, Any]:
    try:
        return json_object(part)
    except ValueError:
        raise UnauthorisedError(reason) from None


def _text(members: dict[str, Any], name: str, reason: Reason) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise UnauthorisedError(reason)
    return value


def _short(text: str) -> str:
    """A text that can be kept: no database keeps every character that JSON can write."""
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise UnauthorisedError(Reason.CLAIMS)
    return text


def _audience(value: Any) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise UnauthorisedError(Reason.CLAIMS)
    return frozenset(values)


def _moment(value: Any) -> float:
    try:
        return moment(value)
    except ValueError:
        raise UnauthorisedError(Reason.CLAIMS) from None
