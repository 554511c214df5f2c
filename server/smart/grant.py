"""What an EHR granted: its token response, read (A-8 to A-12; SM-10)."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
_UNKNOWN_LIFE = 300
"""Seconds that a token is used for whose life the EHR does not say."""
_LONGEST_LIFE = 24 * 3600
_MOST_ITEMS = 50
_LONGEST_TEXT = 256


class GrantError(Exception):
    """The token response cannot be used.

    Args:
        reason: `token-type`, `no-token`, `scope`, `another-patient`.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Grant:
    """What we may do, and for whom; the part of a launch that is kept, encrypted.

    Args:
        access_token: for the FHIR server.
        expires_at: seconds since 1970.
        scope: as granted.
        patient: FHIR id; empty where the EHR named none.
        refresh_token: for the next access token; empty where there is none.
        tenant: of the EHR, if it says so.
        needs_banner: whether the page must show who the patient is.
        app_context: the text that our card sent along, as it came back.
        about: references within the server of what the app was opened for (`fhirContext`).
    """

    access_token: str = field(repr=False)
    expires_at: int
    scope: str
    patient: str
    refresh_token: str = field(default="", repr=False)
    tenant: str = ""
    needs_banner: bool = True
    app_context: str = ""
    about: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """To be encrypted."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Grant":
        """As `as_json` gave it."""
        return cls(**{**content, "about": tuple(content["about"])})


def read_grant(response: Mapping[str, Any], asked: str, now: float) -> Grant:
    """Read a token response.

    Args:
        response: parsed JSON.
        asked: the scopes that we asked for; granted as they are where the response says nothing (RFC 6749, 5.1).
        now: seconds since 1970.

    Raises:
        GrantError: it brings no token that we could use.
    """
    if str(response.get("token_type")).lower() != "bearer":
        raise GrantError("token-type")
    token, scope = response.get("access_token"), response.get("scope", asked)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise GrantError("no-token")
    if not isinstance(scope, str):
        raise GrantError("scope")
    return Grant(
        access_token=token,
        expires_at=int(now) + _life(response.get("expires_in")),
        scope=scope,
        patient=_matching(_FHIR_ID, str(response.get("patient") or "").removeprefix("Patient/")),
        refresh_token=_matching(_TOKEN, response.get("refresh_token")),
        tenant=_short(response.get("tenant")),
        needs_banner=response.get("need_patient_banner") is not False,
        app_context=_short(response.get("appContext")),
        about=_about(response.get("fhirContext")),
    )


def refreshed(before: Grant, response: Mapping[str, Any], now: float) -> Grant:
    """The grant after a refresh: a refresh says less than the first response, and what it does not say stays (A-15).

    Args:
        before: as it was.
        response: parsed JSON.
        now: seconds since 1970.

    Raises:
        GrantError: it brings no token that we could use, or is for another patient.
    """
    after = read_grant(response, before.scope, now)
    if after.patient not in ("", before.patient):
        raise GrantError("another-patient")
    kept = {name: getattr(before, name) for name in ("patient", "tenant", "needs_banner", "app_context", "about")}
    return Grant(
        access_token=after.access_token,
        expires_at=after.expires_at,
        scope=after.scope,
        refresh_token=after.refresh_token or before.refresh_token,
        **kept,
    )


def _life(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:9])  # some servers send the number as text
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return _UNKNOWN_LIFE
    return int(min(value, _LONGEST_LIFE))


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable() else ""


def _about(value: Any) -> tuple[str, ...]:
    """References to resources, of items without a role or with the role `launch`; other roles are not ours to understand."""
    items = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    ours = (one for one in items[:_MOST_ITEMS] if one.get("role", "launch") == "launch")
    return tuple(found for one in ours if (found := _matching(_REFERENCE, one.get("reference"))))
