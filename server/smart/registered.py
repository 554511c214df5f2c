"""The EHRs that the app can be launched from: those of the registered clients, and nobody else (A-2; SM-01)."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.ehr.address import normal_base
from server.smart.stops import UNKNOWN_EHR, StopError
from server.trust.clients import Client, SmartRegistration


@dataclass(frozen=True, slots=True)
class Ehr:
    """A registered EHR that the app can be launched from.

    Args:
        client: the registered client.
        registration: of the app with it.
        base: one of its FHIR base URLs, as registered.
    """

    client: Client
    registration: SmartRegistration
    base: str


def registered_ehrs(clients: Iterable[Client]) -> tuple[Ehr, ...]:
    """Every FHIR server that the app can be launched from."""
    return tuple(Ehr(one, one.smart, base) for one in clients if one.smart for base in one.fhir_servers)


def find_ehr(ehrs: Iterable[Ehr], iss: str, client: str | None = None) -> Ehr:
    """The EHR with this FHIR base URL; nothing is asked of anybody else.

    Args:
        ehrs: the registered ones.
        iss: FHIR base URL, as sent.
        client: name of the client that it must be of; None for any.

    Raises:
        StopError: it is not registered.
    """
    base = normal_base(iss)
    for ehr in ehrs:
        if base is not None and normal_base(ehr.base) == base and client in (None, ehr.client.name):
            return ehr
    raise StopError(UNKNOWN_EHR, "unknown-iss")
