"""What the authorization server can be told to do wrong, so that an app can show how it takes it: by a switch, or by a file.

A file of it is a JSON object with the names of the fields, read again at every request: `{"wrong_nonce": true}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What is switched on.

    Args:
        wrong_nonce: the id_token has another nonce.
        wrong_issuer: it has another `iss`, and so has the authorization response.
        wrong_key: it is signed with a key that is not published.
        unsigned: its `alg` is `none`.
        other_audience: it is for another app.
        no_patient: the token response names no patient.
        cut_scopes: scopes that are silently not granted.
        v1_only: the configuration names `permission-v1` only.
        plain_only: the configuration names the PKCE method `plain` only.
        relative_urls: the endpoints of the configuration are relative to the FHIR base.
        expired_code: every code has expired.
        token_seconds: how long an access token lives; None for the usual time.
        refuse_refresh: no refresh token is accepted.
        wrong_state: the authorization response has another `state`.
    """

    wrong_nonce: bool = False
    wrong_issuer: bool = False
    wrong_key: bool = False
    unsigned: bool = False
    other_audience: bool = False
    no_patient: bool = False
    cut_scopes: tuple[str, ...] = ()
    v1_only: bool = False
    plain_only: bool = False
    relative_urls: bool = False
    expired_code: bool = False
    token_seconds: int | None = None
    refuse_refresh: bool = False
    wrong_state: bool = False


def read_misbehaviour(path: Path | None) -> Misbehaviour:
    """What a file switches on.

    Args:
        path: the file; None, or one that is not there, for nothing.

    Raises:
        TypeError: the file names something that there is not.
    """
    if path is None or not path.exists():
        return Misbehaviour()
    given = json.loads(path.read_text("utf-8"))
    return Misbehaviour(**given | {"cut_scopes": tuple(given.get("cut_scopes", ()))})


SWITCHED: Mapping[str, tuple[str, Misbehaviour]] = MappingProxyType(
    {
        "wrong-nonce": ("the id_token has another nonce", Misbehaviour(wrong_nonce=True)),
        "wrong-key": ("the id_token is signed by somebody else", Misbehaviour(wrong_key=True)),
        "unsigned": ("the id_token is not signed", Misbehaviour(unsigned=True)),
        "other-audience": ("the id_token is for another app", Misbehaviour(other_audience=True)),
        "wrong-issuer": ("the answer comes from another issuer", Misbehaviour(wrong_issuer=True)),
        "wrong-state": ("the answer has another state", Misbehaviour(wrong_state=True)),
        "no-patient": ("the token names no patient", Misbehaviour(no_patient=True)),
        "cut-scopes": ("results are left out of the scopes", Misbehaviour(cut_scopes=("patient/Observation.rs",))),
        "expired-code": ("every code has expired", Misbehaviour(expired_code=True)),
        "short-token": ("a token lives for 30 seconds", Misbehaviour(token_seconds=30)),
        "no-refresh": ("a token lives for 30 seconds and is not renewed", Misbehaviour(token_seconds=30, refuse_refresh=True)),
        "plain-only": ("the configuration offers no S256", Misbehaviour(plain_only=True)),
    }
)
"""Those worth a switch, each in words."""
