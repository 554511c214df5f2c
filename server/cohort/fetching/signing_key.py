"""The private key that a backend client signs with, from a file (SMART App Launch 2.2, "Asymmetric authentication"; SM-12)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from server.config import ConfigurationError
from server.smart.keys import ALGORITHMS, SigningKey, SigningKeys
from server.smart.private_file import read_private

OPTION = "--key"

_PEM = "-----BEGIN"
_LEAST_RSA_BITS = 2048
_UNFIT = (
    f"{OPTION}: {{file}} is not a private key of a kind that EHRs take: EC P-384 (signs ES384) or RSA of {_LEAST_RSA_BITS} bits "
    "or more (signs RS384), as a JWK, a JWK Set, or PEM without a passphrase (docs/cohort-fetch.md)"
)


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The keys of one client.

    Args:
        file: where they are, for messages.
        keys: at least one.
    """

    file: Path
    keys: tuple[SigningKey, ...]

    def assertion(self, client_id: str, token_url: str, accepted: Iterable[str]) -> str:
        """A signed client assertion, for one use.

        Args:
            client_id: that the EHR gave us.
            token_url: whom it is for.
            accepted: algorithms that the EHR says it verifies, as far as it says.
        """
        return SigningKeys((key := self.chosen(accepted),)).assertion(client_id, token_url, (key.algorithm,))

    def chosen(self, accepted: Iterable[str]) -> SigningKey:
        """The key to sign with: the first whose algorithm the EHR names, or else the first."""
        wanted = set(accepted)
        return next((key for key in self.keys if key.algorithm in wanted), self.keys[0])


def load_client_keys(file: Path, kid: str | None) -> ClientKeys:
    """The keys in a file.

    Args:
        file: a JWK, a JWK Set or PEM; readable by its owner only.
        kid: of the key, as it is registered; None for what the file says, or the RFC 7638 thumbprint.

    Raises:
        ConfigurationError: the file cannot be used; the message never has a value of it.
    """
    found = [key for entry in _entries(read_private(OPTION, file)) if (key := _read(entry))]
    if not found:
        raise ConfigurationError(_UNFIT.format(file=file))
    if kid and len(found) > 1:
        found = [key for key in found if key.kid == kid]
        if not found:
            raise ConfigurationError(f"--kid: {file} has no key of that id")
    named = [SigningKey(kid or key.kid, key.algorithm, key.key) for key in found]
    return ClientKeys(file, tuple(sorted(named, key=lambda key: ALGORITHMS.index(key.algorithm))))


def _entries(text: str) -> list[Any]:
    """PEM as it is, or the JWKs of a file."""
    if text.lstrip().startswith(_PEM):
        return [text]
    try:
        document = json.loads(text)
        return list(document.get("keys", [document]))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []


def _read(entry: Any) -> SigningKey | None:
    """One key, if it is of a kind that can be used."""
    try:
        key = _from_pem(entry) if isinstance(entry, str) else import_key(entry)
        algorithm, said = _algorithm(key), {} if isinstance(entry, str) else entry
        if said.get("alg", algorithm) != algorithm:
            return None
        return SigningKey(str(said.get("kid") or key.thumbprint()), algorithm, key)
    except (ValueError, TypeError, KeyError, AttributeError, JoseError, UnsupportedAlgorithm):
        return None


def _from_pem(text: str) -> Key:
    try:
        return ECKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return RSAKey.import_key(text)


def _algorithm(key: Key) -> str:
    """The algorithm of SMART's that a key signs with.

    Raises:
        ValueError: there is none, or it is no private key.
    """
    if not key.is_private:
        raise ValueError
    if isinstance(key, ECKey) and key.curve_name == "P-384":
        return "ES384"
    if isinstance(key, RSAKey) and key.raw_value.key_size >= _LEAST_RSA_BITS:
        return "RS384"
    raise ValueError
