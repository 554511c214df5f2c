"""What the authorization server remembers: launches, what somebody consented to, codes and tokens."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sandbox.access import Access


@dataclass(frozen=True, slots=True)
class Launch:
    """An app opened from the chart; what its `launch` parameter stands for.

    Args:
        value: the parameter itself, opaque.
        patient, encounter: FHIR ids.
        user: id of the practitioner who is logged in; empty for nobody, who then is asked to log in and to consent.
        app_context: as the card's link sent it.
        fhir_context: further references, as SMART's `fhirContext`.
        intent: as SMART's `intent`.
        need_patient_banner: whether the app has to show who the patient is.
        expires: seconds since 1970.
    """

    value: str = field(repr=False)
    patient: str
    encounter: str
    user: str
    app_context: str | None
    fhir_context: Sequence[Mapping[str, Any]]
    intent: str | None
    need_patient_banner: bool
    expires: float


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody allowed an app.

    Args:
        user: id of the practitioner; empty for a system that acts for itself.
        scopes: as granted.
        patient: FHIR id; None where there is no patient in it.
        launch: that it began with; None for a standalone launch.
    """

    user: str
    scopes: tuple[str, ...]
    patient: str | None = None
    launch: Launch | None = None


@dataclass(slots=True, eq=False)
class Session:
    """An app's connection, from consent until it is revoked: all codes and tokens that come from one consent.

    Args:
        client_id: the app's.
        consent: what was allowed.
        began: seconds since 1970.
        attempt: number of the launch in the list of checks; 0 for none.
        revoked: whether it has come to an end.
    """

    client_id: str
    consent: Consent
    began: float
    attempt: int = 0
    revoked: bool = False


@dataclass(slots=True, eq=False)
class Code:
    """An authorization code. The methods, and the names of the challenge, are what Authlib asks of one.

    Args:
        value: the code.
        session: that it opens.
        redirect_uri, scope, nonce, code_challenge, code_challenge_method: of the authorization request.
        expires: seconds since 1970.
        taken: whether it was used.
    """

    value: str = field(repr=False)
    session: Session
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    expires: float
    taken: bool = False

    def fits(self, verifier: str) -> bool:
        """Whether a PKCE verifier belongs to its challenge (S256)."""
        digest = sha256(verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=") == self.code_challenge

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it stands for."""
        return self.scope

    def get_nonce(self) -> str | None:
        """The nonce that was asked for."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the user logged in."""
        return int(self.session.began)

    def get_acr(self) -> None:
        """Nothing is said about how strongly."""

    def get_amr(self) -> None:
        """Nothing is said about how."""


@dataclass(slots=True, eq=False)
class Token:
    """An access token, perhaps with a refresh token. The methods are what Authlib asks of one.

    Args:
        access_token: the token.
        refresh_token: None without one.
        session: that it belongs to.
        scope: as granted.
        expires: of the access token, seconds since 1970.
        taken: whether the refresh token was used.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    session: Session
    scope: str
    expires: float
    taken: bool = False

    @property
    def access(self) -> Access:
        """What it grants at the FHIR API."""
        consent = self.session.consent
        user = f"Practitioner/{consent.user}" if consent.user else ""
        return Access(tuple(self.scope.split()), consent.patient, user, self.session.client_id, self.expires)

    def check_client(self, client: Any) -> bool:
        """Whether it was given to this app."""
        return bool(client.get_client_id() == self.session.client_id)

    def get_scope(self) -> str:
        """What it grants."""
        return self.scope

    def is_expired(self) -> bool:
        """Never: the memory gives nobody an expired token."""
        return False

    def is_revoked(self) -> bool:
        """Whether its session has ended."""
        return self.session.revoked
