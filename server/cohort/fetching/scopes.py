"""Scopes of a system: which to ask for, so that they cover what is exported and no more, and what was granted (A-24).

https://hl7.org/fhir/smart-app-launch/backend-services.html, "Scopes".
"""

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"system/(?P<type>[A-Za-z]+|\*)\.(?P<may>read|\*|(?=[cruds])c?r?u?d?s?)(?P<part>\?.+)?", re.ASCII)


def scopes_for(types: Iterable[str], *, is_v1: bool) -> str:
    """One scope to each type.

    Args:
        types: resource types.
        is_v1: spelled as SMART 1 does.
    """
    return " ".join(f"system/{kind}.{'read' if is_v1 else 'rs'}" for kind in types)


def not_granted(types: Iterable[str], granted: str | None) -> tuple[str, ...]:
    """The types that a token does not cover wholly.

    Args:
        types: that are to be exported.
        granted: `scope` of the token response; None where it says nothing, which means what was asked for (RFC 6749, 5.1).
    """
    if granted is None:
        return ()
    read = [scope for one in granted.split() if (scope := _SCOPE.fullmatch(one))]
    whole = {scope["type"] for scope in read if scope["part"] is None and _reads(scope["may"])}
    return () if "*" in whole else tuple(kind for kind in types if kind not in whole)


def _reads(may: str) -> bool:
    """Whether it lets read; some EHRs grant `r` alone for an export, which searches for nothing."""
    return may in ("read", "*") or "r" in may
