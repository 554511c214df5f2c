"""The keys that the app signs its client assertions with (SMART App Launch, asymmetric authentication; SM-12, A-7, A-21)."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from server.config import PREFIX, ConfigurationError
from server.smart.private_file import read_private
from server.trust.jwk_set import public_part

ALGORITHMS = ("ES384", "RS384")
"""What SMART asks every server to take one of, the one that we prefer first."""

ASSERTION_SECONDS = 240
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_RSA_BITS = 3072
_making = Lock()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One private key.

    Args:
        kid: RFC 7638 thumbprint, or what the file says.
        algorithm: one of `ALGORITHMS`.
        key: the key.
    """

    kid: str
    algorithm: str
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys of the app; of several for one algorithm the first signs, and the others are published while they are rotated.

    Args:
        keys: at least one to each of `ALGORITHMS`.
    """

    keys: tuple[SigningKey, ...]

    def published(self) -> dict[str, Any]:
        """The JWK Set for everybody: public members only."""
        about = ({"kid": one.kid, "alg": one.algorithm, "use": "sig", "key_ops": ["verify"]} for one in self.keys)
        return public_part(
            {"keys": [{**one.key.as_dict(private=False), **said} for one, said in zip(self.keys, about, strict=True)]}
        )

    def assertion(
        self, client_id: str, token_endpoint: str, accepted: Iterable[str], clock: Callable[[], float] = time.time
    ) -> str:
        """A signed client assertion, for one use.

        Args:
            client_id: that the EHR gave us.
            token_endpoint: whom it is for.
            accepted: algorithms that the EHR says it verifies; our first choice where it names none of ours.
            clock: seconds since 1970.
        """
        wanted = set(accepted)
        algorithm = next((name for name in ALGORITHMS if name in wanted), ALGORITHMS[0])
        signer = next(one for one in self.keys if one.algorithm == algorithm)
        now = int(clock())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": token_endpoint,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": token_urlsafe(24),
        }
        header = {"alg": algorithm, "kid": signer.kid, "typ": "JWT"}
        return jwt.encode(header, claims, signer.key, algorithms=[algorithm])


def keys_of_this_process() -> SigningKeys:
    """Keys that nobody else has, made once; EHRs read them at `/.well-known/jwks.json` and may keep what they read."""
    with _making:
        return _made()


@cache
def _made() -> SigningKeys:
    made: list[Key] = [ECKey.generate_key("P-384"), RSAKey.generate_key(_RSA_BITS)]
    return SigningKeys(tuple(SigningKey(key.thumbprint(), name, key) for name, key in zip(ALGORITHMS, made, strict=True)))


def load_signing_keys(file: Path | None) -> Callable[[], SigningKeys]:
    """The keys in a file, read now; without a file those of this process, made when they are first asked for.

    Args:
        file: a JWK Set with private keys, readable by its owner only.

    Raises:
        ConfigurationError: the file cannot be used; the message never has a value of it.
    """
    if file is None:
        return keys_of_this_process
    setting = f"{PREFIX}SMART_KEY_FILE"
    text = read_private(setting, file)
    try:
        entries = json.loads(text)["keys"]
        keys = SigningKeys(tuple(_signing_key(entry) for entry in entries))
    except (ValueError, TypeError, KeyError, JoseError, RecursionError):
        raise ConfigurationError(
            f"{setting}: {file} is not a JWK Set with private EC P-384 and RSA keys (docs/smart.md)"
        ) from None
    if {one.algorithm for one in keys.keys} != set(ALGORITHMS):
        raise ConfigurationError(f"{setting}: {file} needs a key for each of {' and '.join(ALGORITHMS)} (docs/smart.md)")
    return lambda: keys


def _signing_key(entry: dict[str, Any]) -> SigningKey:
    algorithm = {("EC", "P-384"): "ES384", ("RSA", None): "RS384"}[(entry["kty"], entry.get("crv"))]
    key = import_key(entry)
    if not key.is_private or entry.get("alg", algorithm) != algorithm:
        raise ValueError
    return SigningKey(str(entry.get("kid") or key.thumbprint()), algorithm, key)
