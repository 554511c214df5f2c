"""Prefetch: the templates of a service, run against a chart (CDS Hooks 2.0.1, "Prefetch Template")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bundles import FHIR_BASE
from sandbox.charts import Chart
from sandbox.dialects import DIALECTS, Dialect
from sandbox.fhir_parts import Json
from sandbox.search import UnsupportedQueryError, answer

TOKEN = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
USER_TOKENS = {
    "Practitioner": "userPractitionerId",
    "PractitionerRole": "userPractitionerRoleId",
    "Patient": "userPatientId",
    "RelatedPerson": "userRelatedPersonId",
}
"""By the type of the user, the token that stands for the user's id (conformance P-4)."""

_NO_RESULTS: Json = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "processing",
                "details": {
                    "coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}],
                    "text": "Resource request returns no results.",
                },
            }
        ],
    },
    "search": {"mode": "outcome"},
}
"""How Epic says that a search found nothing (conformance R-14)."""


@dataclass(frozen=True, slots=True)
class Prefetch:
    """What a service is sent.

    Args:
        values: by key.
        states: of every key that it asked for, in words: what was sent, that nothing was found, or why it was left out.
    """

    values: Mapping[str, Any]
    states: Mapping[str, str]


def token_values(context: Mapping[str, Any], dialect: Dialect) -> dict[str, str]:
    """What the tokens of templates stand for (conformance P-3 to P-5).

    Args:
        context: of the hook call; only texts at its root can be tokens.
        dialect: older versions have no tokens for users.
    """
    values = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    user_type, _, user_id = str(context.get("userId", "")).partition("/")
    if dialect.user_tokens and user_type in USER_TOKENS:
        values[USER_TOKENS[user_type]] = user_id
    return values


def fill_in(template: str, values: Mapping[str, str]) -> str:
    """A template with its tokens replaced.

    Raises:
        UnsupportedQueryError: a token that has no value here.
    """

    def value(token: re.Match[str]) -> str:
        if token[1] not in values:
            raise UnsupportedQueryError(f"prefetch token {token[1]} is not known")
        return values[token[1]]

    return TOKEN.sub(value, template)


def resolve(
    templates: Mapping[str, str],
    values: Mapping[str, str],
    chart: Chart,
    *,
    base: str = FHIR_BASE,
    only: frozenset[str] | None = None,
    dialect: Dialect = DIALECTS["standard"],
) -> Prefetch:
    """Run templates against a chart.

    Args:
        templates: by key, from discovery.
        values: of tokens.
        chart: whose data is sent.
        base: base URL of the FHIR server, for links.
        only: resource types to send; None for all.
        dialect: how an empty search is sent.
    """
    sent: dict[str, Any] = {}
    states: dict[str, str] = {}
    for key, template in templates.items():
        resource_type = re.split(r"[/?]", template, maxsplit=1)[0]
        if only is not None and resource_type not in only:
            states[key] = f"left out: {resource_type} is switched off"
            continue
        try:
            found = answer(fill_in(template, values), chart, base)
        except UnsupportedQueryError as error:
            states[key] = f"left out: {error}"
            continue
        if found is None:
            states[key] = "left out: no such resource"
        else:
            sent[key], states[key] = _as_sent(found, dialect)
    return Prefetch(sent, states)


def _as_sent(found: Json, dialect: Dialect) -> tuple[Any, str]:
    """A value as the dialect writes it, and its state."""
    if found["resourceType"] != "Bundle":
        return found, "sent"
    if not found["total"]:
        forms: Mapping[str, Any] = {"bundle": found, "null": None, "outcome": found | {"entry": [_NO_RESULTS]}}
        return forms[dialect.empty_search], "empty"
    return found, f"sent: {len(found.get('entry', ()))} of {found['total']}"
