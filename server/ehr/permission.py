"""May we call back, and where? Decided before any socket is opened (threats OUT-01, OUT-16; conformance T-8, T-11, T-12)."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from server.cds_hooks.envelope import Authorization, HookCall
from server.ehr.address import is_loopback, normal_base
from server.trust.clients import Client

Refusal = Literal["no-server", "not-registered", "no-token", "bad-token", "token-of-another-patient"]

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""Visible ASCII: anything else could start another header."""


@dataclass(frozen=True, slots=True)
class FhirServer:
    """A FHIR server that may be called, for one hook call.

    Args:
        base: its URL as registered, without a trailing slash; never the one that was sent.
        token: access token; None for a development server without.
        ca_file: certificates to trust besides the system's.
    """

    base: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


def server_to_call(call: HookCall, client: Client) -> FhirServer | Refusal:
    """The FHIR server of a call, or why there is none.

    Args:
        call: the hook call.
        client: who sent it, authenticated.
    """
    if not call.fhir_server:
        return "no-server"
    sent = normal_base(call.fhir_server)
    if sent is None or sent not in {normal_base(base) for base in client.fhir_servers}:
        return "not-registered"
    if call.authorization is None:
        may_do_without = client.fhir_without_token and is_loopback(sent)
        return FhirServer(sent, ca_file=client.ca_file) if may_do_without else "no-token"
    return _with_token(sent, call.authorization, call.patient_id, client)


def _with_token(base: str, authorization: Authorization, patient_id: str, client: Client) -> FhirServer | Refusal:
    if authorization.patient is not None and authorization.patient != patient_id:
        return "token-of-another-patient"
    if not _TOKEN.fullmatch(authorization.access_token):
        return "bad-token"
    return FhirServer(base, authorization.access_token, client.ca_file)
