"""The public keys of an app, read from its JWK Set URL and kept for a while."""

import time
from threading import Lock

import requests
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

TIMEOUT_SECONDS = (2, 3)
KEPT_SECONDS = 10
"""Short, so that a key that was changed is soon known; a demo asks rarely."""


class KeysUnavailableError(Exception):
    """The JWK Set cannot be read."""


class PublishedKeys:
    """See the module. Threads may share it."""

    def __init__(self) -> None:
        """Know none."""
        self._lock = Lock()
        self._known: dict[str, tuple[float, KeySet]] = {}

    def read(self, url: str) -> KeySet:
        """The keys at a URL.

        Raises:
            KeysUnavailableError: nobody answers, or not with a JWK Set.
        """
        with self._lock:
            read_at, keys = self._known.get(url, (0.0, None))
        if keys is None or time.monotonic() - read_at > KEPT_SECONDS:
            keys = _fetch(url)
            with self._lock:
                self._known[url] = (time.monotonic(), keys)
        return keys


def _fetch(url: str) -> KeySet:
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the machine must not be needed for loopback
            response = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            response.raise_for_status()
            return KeySet.import_key_set(response.json())
    except (requests.RequestException, JoseError, ValueError, KeyError, TypeError) as error:
        raise KeysUnavailableError from error
