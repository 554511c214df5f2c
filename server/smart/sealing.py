"""What a launch holds is kept encrypted, so that a stolen database opens no chart (SM-07, A-18)."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.config import PREFIX, ConfigurationError
from server.smart.private_file import read_private

_KEY_BYTES = 32
_NONCE_BYTES = 12


class UnsealError(Exception):
    """It was not sealed for this launch with a key that we have."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Encrypts with AES-256-GCM; each text says which key it needs.

    Args:
        keys: by key id; the first one encrypts, the others still decrypt while keys are rotated.
    """

    keys: Mapping[str, bytes] = field(repr=False)

    def seal(self, launch: str, content: Mapping[str, Any]) -> str:
        """Encrypt.

        Args:
            launch: id of the launch; it can be opened for no other.
            content: plain JSON values.
        """
        key_id, key = next(iter(self.keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, orjson.dumps(content), launch.encode())
        return f"{key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, launch: str, text: str) -> dict[str, Any]:
        """Decrypt; arguments as for `seal`.

        Raises:
            UnsealError: it cannot be opened.
        """
        key_id, _, coded = text.partition(".")
        try:
            sealed = urlsafe_b64decode(coded)
            plain = AESGCM(self.keys[key_id]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], launch.encode())
        except (KeyError, ValueError, InvalidTag):
            raise UnsealError from None
        content: dict[str, Any] = orjson.loads(plain)
        return content


def load_sealer(file: Path | None) -> Sealer:
    """The keys of a file; without one, a key that ends with this process.

    Args:
        file: one key of 64 hexadecimal digits to a line, the newest first; readable by its owner only.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    if file is None:
        return _sealer([os.urandom(_KEY_BYTES)])
    setting = f"{PREFIX}SESSION_KEY_FILE"
    try:
        keys = [bytes.fromhex(line) for line in read_private(setting, file).split()]
    except ValueError as error:
        if isinstance(error, ConfigurationError):
            raise
        keys = []
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise ConfigurationError(f"{setting}: {file} needs keys of 64 hexadecimal digits; make one with: openssl rand -hex 32")
    return _sealer(keys)


def _sealer(keys: list[bytes]) -> Sealer:
    return Sealer({sha256(key).hexdigest()[:8]: key for key in keys})
