"""The authorization request: where the browser is sent, and what must come back (A-4; SM-02, SM-03)."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlencode

_BYTES = 32
"""256 bits for everything that must not be guessed."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one launch is recognised by, new each time.

    Args:
        state: comes back from the browser.
        nonce: comes back within the id token.
        verifier: of PKCE (RFC 7636); proves to the token endpoint that it was us who asked.
    """

    state: str = field(default_factory=lambda: token_urlsafe(_BYTES), repr=False)
    nonce: str = field(default_factory=lambda: token_urlsafe(_BYTES), repr=False)
    verifier: str = field(default_factory=lambda: token_urlsafe(_BYTES), repr=False)

    @property
    def challenge(self) -> str:
        """The verifier's `S256` challenge."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(
    endpoint: str, secrets: Secrets, *, client_id: str, redirect_uri: str, scope: str, base: str, launch: str | None
) -> str:
    """Where to send the browser.

    Args:
        endpoint: the authorization endpoint.
        secrets: of this launch.
        client_id: that the EHR gave us.
        redirect_uri: ours, as registered.
        scope: what we ask for.
        base: FHIR base URL that the token shall be for.
        launch: of an EHR launch, as sent; None for a standalone launch.
    """
    parameters: Mapping[str, str] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": secrets.state,
        "nonce": secrets.nonce,
        "aud": base,
        "code_challenge": secrets.challenge,
        "code_challenge_method": "S256",
        **({} if launch is None else {"launch": launch}),
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"
