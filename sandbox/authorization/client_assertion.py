"""`private_key_jwt`: a client proves who it is with a signed JWT (SMART App Launch 2.2, client-confidential-asymmetric).

Checked as the Inferno SMART client suite does: header `typ` JWT, with `kid`; ES384 or RS384; `iss` = `sub` = client id; `aud` =
the token endpoint; `exp` at most five minutes away; a `jti` that never came before.
"""

from collections.abc import Callable, Sequence
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sandbox.authorization.memory import Memory
from sandbox.authorization.published_keys import KeysUnavailableError
from sandbox.authorization.smart_apps import PRIVATE_KEY_JWT, SmartApp
from sandbox.bundles import Json

ALGORITHMS = ("ES384", "RS384")
LONGEST_LIFE = 300
"""Seconds from now to `exp`."""
SKEW = 60
"""Seconds that two clocks may differ by."""


class ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """See the module.

    Args:
        memory: of the `jti` that were used.
        token_url: of the token endpoint.
        keys_of: reads the JWK Set of an app.
    """

    CLIENT_AUTH_METHOD = PRIVATE_KEY_JWT

    def __init__(self, memory: Memory, token_url: str, keys_of: Callable[[str], KeySet]) -> None:
        """Of one server."""
        super().__init__(leeway=SKEW)
        self._memory, self._token_url, self._keys_of = memory, token_url, keys_of

    def get_audiences(self) -> Sequence[str]:
        """The token endpoint."""
        return [self._token_url]

    def resolve_client_public_key(self, client: SmartApp) -> KeySet:
        """The keys of an app, from the URL it is registered with, or as they were registered."""
        if client.jwks is not None:
            return _registered(client.jwks)
        if client.jwks_url is None:
            raise InvalidClientError(description="The client is not registered with a JWK Set.")
        try:
            return self._keys_of(client.jwks_url)
        except KeysUnavailableError:
            raise InvalidClientError(description="The JWK Set of the client cannot be read.") from None

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> Any:
        """Verify the signature, with the algorithms that SMART names, then the claims."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            raise InvalidClientError(description="The assertion is not signed by a key of the client.") from None
        if token.header.get("typ") != "JWT" or not token.header.get("kid"):
            raise InvalidClientError(description="The header of the assertion needs typ JWT and kid.")
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: Any) -> None:
        """Hold the claims against what they have to be; the `jti` last, so that a refused assertion uses none up."""
        expires = claims.get("exp")
        if not isinstance(expires, (int, float)) or not expires <= self._memory.now() + LONGEST_LIFE + SKEW:
            raise InvalidClientError(description="exp has to be at most five minutes away.")
        super().verify_claims(claims)

    def validate_jti(self, claims: Any, jti: Any) -> bool:
        """Whether it is new."""
        return isinstance(jti, str) and bool(jti) and self._memory.take_assertion(claims["sub"], jti, claims["exp"] + SKEW)


def _registered(jwks: Json) -> KeySet:
    try:
        return KeySet.import_key_set({"keys": jwks["keys"]})
    except (JoseError, ValueError, KeyError, TypeError):
        raise InvalidClientError(description="The client is registered with something else than a JWK Set.") from None
