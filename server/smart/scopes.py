"""What the app asks to read, and what it may read in the end (A-5, A-8; SM-10)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from server.cds_hooks.prefetch import TEMPLATES
from server.connecting.scopes import scopes_for
from server.smart.configuration import SmartConfiguration
from server.trust.clients import Client

_SCOPE = re.compile(r"(?:patient|user)/(?P<type>[A-Za-z]+|\*)\.(?P<may>read|write|\*|c?r?u?d?s?)(?P<part>\?.*)?")


class Access(StrEnum):
    """What may be read of one resource type."""

    NONE = "none"
    PART = "part"
    """Not all of it: some categories, or by search but not by id."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Granted:
    """The scopes of a token.

    Args:
        text: separated by spaces, as granted.
    """

    text: str

    @property
    def has_identity(self) -> bool:
        """Whether the token response must say who signed in."""
        return "openid" in self.text.split()

    def access_to(self, resource_type: str) -> Access:
        """What may be read of a type.

        Args:
            resource_type: FHIR type.
        """
        needed = set(_NEEDED[resource_type])
        found = [scope for one in self.text.split() if (scope := _SCOPE.fullmatch(one)) and scope["type"] in (resource_type, "*")]
        reading = [scope for scope in found if needed <= _permissions(scope["may"])]
        if any(scope["part"] is None for scope in reading):
            return Access.ALL
        return Access.PART if reading else Access.NONE


_NEEDED = {scope.resource_type: scope.v2.rpartition(".")[2] for scope in scopes_for(TEMPLATES)}


def asked_scopes(client: Client, configuration: SmartConfiguration, *, is_standalone: bool) -> str:
    """What to ask for: to read what the advice needs, and no more.

    Args:
        client: the registered EHR.
        configuration: what its authorization server can do.
        is_standalone: whether the EHR has still to ask for the patient.
    """
    needed = [scope for scope in scopes_for(TEMPLATES) if scope.resource_type not in client.fhir_types_missing]
    is_v1 = "permission-v1" in configuration.capabilities and "permission-v2" not in configuration.capabilities
    is_online = "online_access" in configuration.scopes or "permission-online" in configuration.capabilities
    extra = client.smart.scopes if client.smart else ()
    return " ".join(
        dict.fromkeys(
            (
                "launch/patient" if is_standalone else "launch",
                "openid",
                "fhirUser",
                *(["online_access"] if is_online else []),
                *(scope.v1 if is_v1 else scope.v2 for scope in needed),
                *extra,
            )
        )
    )


def has_data(granted: Granted, client: Client) -> bool:
    """Whether anything may be read that the advice needs.

    Args:
        granted: scopes of the token.
        client: the registered EHR.
    """
    kinds = {one.resource_type for one in TEMPLATES} - client.fhir_types_missing
    return any(granted.access_to(kind) is not Access.NONE for kind in kinds)


def _permissions(may: str) -> set[str]:
    """The letters of SMART 2 that a permission stands for."""
    return {"read": set("rs"), "write": set("cud"), "*": set("cruds")}.get(may, set(may))
