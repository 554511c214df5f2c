"""What is right and wrong about a client assertion, claim by claim; its signature is the server's to verify."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from authlib.oauth2.rfc7523 import JWTBearerClientAssertion  # type: ignore[import-untyped]
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import json_b64decode

from sandbox.authorization.client_assertion import ALGORITHMS, LONGEST_LIFE
from sandbox.authorization.verdicts import Check

_TYPE: str = JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE


def assertion_checks(
    form: Mapping[str, str], client_id: str, token_url: str, now: float, is_known: Callable[[str, str], bool]
) -> Sequence[Check]:
    """The checks of one token request.

    Args:
        form: of the request.
        client_id: whose code it is.
        token_url: what `aud` has to be.
        now: seconds since 1970.
        is_known: whether a `jti` of a client came before.
    """
    header, claims = _read(form.get("client_assertion", ""))
    expires, jti, audience = claims.get("exp"), claims.get("jti"), claims.get("aud")
    in_time = isinstance(expires, (int, float)) and now < expires <= now + LONGEST_LIFE
    return (
        Check("There is a client assertion, and its type is named", form.get("client_assertion_type") == _TYPE and bool(claims)),
        Check("Its header has typ JWT and kid", header.get("typ") == "JWT" and bool(header.get("kid"))),
        Check("Its algorithm is ES384 or RS384", header.get("alg") in ALGORITHMS),
        Check("iss and sub are the client id", claims.get("iss") == claims.get("sub") == client_id),
        Check("aud is the token endpoint", audience in (token_url, [token_url])),
        Check("exp is at most five minutes away", in_time),
        Check("jti is new", isinstance(jti, str) and bool(jti) and not is_known(client_id, jti)),
    )


def _read(assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims of an assertion that nobody has verified; empty for what is none."""
    try:
        found = jws.extract_compact(assertion.encode())
        claims = json_b64decode(found.segments["payload"])
    except (JoseError, ValueError):
        return {}, {}
    return found.headers(), claims if isinstance(claims, dict) else {}
