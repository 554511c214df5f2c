"""A JWK Set, read for one purpose: verifying signatures (RFC 7517; conformance J-20; threats JWT-02, JWT-03, JWT-08)."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from server.errors import UnauthorisedError
from server.trust.reasons import Reason

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""Every signature algorithm that a client may be registered with: key type and curve. None is symmetric (conformance J-14)."""

_PUBLIC_VALUES = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_ABOUT = ("kty", "kid", "use", "key_ops", "alg")
_MOST_KEYS = 100
_RSA_BITS = range(2048, 8192 + 1)  # shorter is weak, and longer keeps a processor busy for whoever may name it


class JwkSetError(ValueError):
    """It is not a JWK Set.

    Args:
        reason: one word out of a closed set, fit for a log.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that can verify.

    Args:
        kid: opaque.
        algorithms: those it can be used with; a single one where the JWK names it.
        thumbprint: RFC 7638; two entries with the same one are the same key.
        key: the key itself, without any private parameter.
    """

    kid: str
    algorithms: frozenset[str]
    thumbprint: str
    key: Key = field(repr=False)

    @property
    def kty(self) -> str:
        """The key type."""
        return self.key.key_type


@dataclass(frozen=True, slots=True)
class JwkSet:
    """What is usable of a JWK Set.

    Args:
        keys: those that can verify.
        unusable: position in the set, from 1, and why, in one word, of every other.
        reveals_private: positions of entries with private parameters: whoever can read the set can sign.
    """

    keys: tuple[VerificationKey, ...]
    unusable: tuple[tuple[int, str], ...] = ()
    reveals_private: tuple[int, ...] = ()

    def find(self, kid: str, algorithm: str) -> VerificationKey | None:
        """The key that a token names; None if it is not there.

        Raises:
            UnauthorisedError: several keys of that type share the `kid` (threat JWT-08), or the key is for another algorithm.
        """
        kty, _ = ALGORITHMS[algorithm]
        named = {key.thumbprint: key for key in self.keys if key.kid == kid and key.kty == kty}
        if len(named) > 1:
            raise UnauthorisedError(Reason.AMBIGUOUS_KEY)
        for key in named.values():
            if algorithm not in key.algorithms:
                raise UnauthorisedError(Reason.ALGORITHM)
            return key
        return None


def read_jwk_set(document: Any) -> JwkSet:
    """The usable keys of a JWK Set; those that are not are left out, as RFC 7517 section 5 asks.

    Args:
        document: parsed JSON.

    Raises:
        JwkSetError: it is not a JWK Set at all.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise JwkSetError("not-a-jwk-set")
    if len(entries) > _MOST_KEYS:
        raise JwkSetError("too-many-keys")
    keys: list[VerificationKey] = []
    unusable: list[tuple[int, str]] = []
    for position, entry in enumerate(entries, 1):
        try:
            keys.append(_read_key(entry))
        except _UnusableError as error:
            unusable.append((position, error.reason))
    private = (position for position, entry in enumerate(entries, 1) if isinstance(entry, dict) and "d" in entry)
    return JwkSet(tuple(keys), tuple(unusable), tuple(private))


def public_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """A JWK Set without what verifying does not need, above all without private parameters.

    Args:
        document: a JWK Set that `read_jwk_set` accepts.
    """
    return {"keys": [_public(entry) for entry in document["keys"] if isinstance(entry, dict)]}


class _UnusableError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _public(entry: Mapping[str, Any]) -> dict[str, Any]:
    kty = entry.get("kty")
    names = (*_ABOUT, *(_PUBLIC_VALUES.get(kty, ()) if isinstance(kty, str) else ()))
    return {name: entry[name] for name in names if name in entry}


def _read_key(entry: Any) -> VerificationKey:
    if not isinstance(entry, dict) or not isinstance(kty := entry.get("kty"), str):
        raise _UnusableError("malformed")
    if kty not in _PUBLIC_VALUES:
        raise _UnusableError("key-type")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        raise _UnusableError("no-kid")
    if entry.get("use", "sig") != "sig":
        raise _UnusableError("use")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _UnusableError("key-operations")
    algorithms = _algorithms(kty, entry)
    if kty == "RSA" and _bits(entry.get("n")) not in _RSA_BITS:
        raise _UnusableError("rsa-length")
    values = {name: entry[name] for name in _PUBLIC_VALUES[kty] if name in entry}
    try:
        key = import_key({"kty": kty, **values})
        return VerificationKey(kid, algorithms, key.thumbprint(), key)
    except (JoseError, ValueError, TypeError):
        raise _UnusableError("malformed") from None


def _algorithms(kty: str, entry: Mapping[str, Any]) -> frozenset[str]:
    """Those of our list that go with the key type and curve; only one if the JWK names one."""
    curve = None if kty == "RSA" else entry.get("crv")
    fitting = frozenset(name for name, needs in ALGORITHMS.items() if needs == (kty, curve))
    if not fitting:
        raise _UnusableError("curve")
    if "alg" not in entry:
        return fitting
    named = entry["alg"]
    if not isinstance(named, str) or named not in fitting:
        raise _UnusableError("algorithm")
    return frozenset((named,))


def _bits(number: Any) -> int:
    """Length of a number in base64url; 0 for what is none."""
    if not isinstance(number, str) or not number.isascii():
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()
    except ValueError:
        return 0
