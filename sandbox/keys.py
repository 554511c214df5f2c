"""The keys of the EHR: made at its start, kept in memory, published as a JWK Set.

CDS Hooks tokens are signed with ES384 (CDS Hooks 2.0.1, "Trusting CDS Clients"), or with RS384 as Epic does; id_tokens with
RS256, which every OpenID client knows (SMART App Launch 2.2, `sso-openid-connect`).
"""

from collections.abc import Mapping

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from sandbox.bundles import Json

HOOKS_ALGORITHM = "ES384"
EPIC_ALGORITHM = "RS384"
ID_TOKEN_ALGORITHM = "RS256"  # noqa: S105 (an algorithm)


class EhrKeys:
    """One key to an algorithm. Threads may share it."""

    def __init__(self) -> None:
        """Make the keys."""
        self._keys: dict[str, ECKey | RSAKey] = {
            HOOKS_ALGORITHM: ECKey.generate_key("P-384", {"use": "sig", "alg": HOOKS_ALGORITHM}, auto_kid=True),
            EPIC_ALGORITHM: RSAKey.generate_key(2048, {"use": "sig", "alg": EPIC_ALGORITHM}, auto_kid=True),
            ID_TOKEN_ALGORITHM: RSAKey.generate_key(2048, {"use": "sig", "alg": ID_TOKEN_ALGORITHM}, auto_kid=True),
        }

    def jwks(self) -> Json:
        """The public keys, as a JWK Set."""
        return {"keys": [key.as_dict(private=False) for key in self._keys.values()]}

    def key_id(self, algorithm: str) -> str:
        """The `kid` of the key for an algorithm."""
        return str(self._keys[algorithm].kid)

    def key(self, algorithm: str) -> ECKey | RSAKey:
        """The key itself, for libraries that sign with it."""
        return self._keys[algorithm]

    def sign(self, claims: Json, *, algorithm: str, header: Mapping[str, str] | None = None) -> str:
        """A signed JWT in the compact serialization.

        Args:
            claims: its claims.
            algorithm: `ES384`, `RS384` or `RS256`.
            header: further header parameters, such as `jku`.

        Raises:
            KeyError: there is no key for that algorithm.
        """
        key = self._keys[algorithm]
        return jwt.encode({"typ": "JWT", "alg": algorithm, "kid": key.kid} | dict(header or {}), claims, key, [algorithm])
