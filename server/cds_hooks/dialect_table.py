"""The table of dialects, `dialects.yaml`, checked once when it is read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

Json = dict[str, Any]

TABLE = Path(__file__).with_name("dialects.yaml")
_LONGEST_TOPIC = 100
_ALLOWED: Mapping[str, frozenset[str]] = {
    "selection_behavior": frozenset(("any", "at-most-one")),
    "left_out": frozenset(
        (
            *("uuid", "overrideReasons", "source.topic", "suggestions.isRecommended"),
            *("links.appContext", "links.autolaunchable"),
        )
    ),
    "action_types": frozenset(("create", "update", "delete")),
    "delete_member": frozenset(("resourceId", "resource")),
    "links_to_register": frozenset(("absolute", "smart")),
    "audience_variants": frozenset(("trailing-slash", "double-slash")),
}


class DialectError(ValueError):
    """The table cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One row of the table.

    Args:
        does: what it does.
        requirements: ids of the requirements that ask for it.
        known_from: where the behaviour is known from.
        standard: its value where a dialect does not set it.
    """

    does: str
    requirements: tuple[str, ...]
    known_from: str
    standard: Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of EHR is answered; each switch is explained in `dialects.yaml`."""

    name: str
    selection_behavior: str
    left_out: tuple[str, ...]
    action_types: tuple[str, ...]
    most_actions: int
    delete_member: str
    code_systems: Mapping[str, tuple[str, ...]]
    system_spellings: Mapping[str, str]
    label_is_description: bool
    plain_topic_codes: bool
    links_to_register: tuple[str, ...]
    audience_variants: tuple[str, ...]

    @property
    def set_apart(self) -> dict[str, Any]:
        """The switches that differ from the standard."""
        values = {name: getattr(self, name) for name in SWITCHES}
        return {name: value for name, value in values.items() if value != _frozen(SWITCHES[name].standard)}

    @property
    def takes_one(self) -> bool:
        """Whether one suggestion of a card excludes the others."""
        return self.selection_behavior == "at-most-one"

    @property
    def accepts_trailing_slash(self) -> bool:
        """Whether `aud` may end with a slash that the URL has not."""
        return "trailing-slash" in self.audience_variants

    @property
    def accepts_double_slash(self) -> bool:
        """Whether `aud` may have a doubled slash after `/cds-services`."""
        return "double-slash" in self.audience_variants

    def audiences(self, url: str) -> tuple[str, ...]:
        """The values of `aud` that mean an endpoint of ours (conformance J-13, X-3).

        Args:
            url: public URL of the endpoint, without a trailing slash.
        """
        doubled = url.replace("/cds-services/", "/cds-services//", 1) if self.accepts_double_slash else url
        spellings = (url, doubled)
        slashed = tuple(f"{one}/" for one in spellings) if self.accepts_trailing_slash else ()
        return tuple(dict.fromkeys((*spellings, *slashed)))

    def spelling(self, system: str) -> str:
        """A code system as the reader spells it."""
        return self.system_spellings.get(system, system)

    def topic_code(self, code: str) -> str:
        """A topic code as the reader takes it (conformance C-10)."""
        return re.sub(r"[^A-Za-z0-9]", "", code)[:_LONGEST_TOPIC] if self.plain_topic_codes else code

    def takes_order(self, resource_type: str, systems: Iterable[str]) -> bool:
        """Whether the reader can tell what a suggested order is.

        Args:
            resource_type: of the order.
            systems: of the codes that it carries.
        """
        if not self.code_systems:
            return True
        return any(self.spelling(system) in self.code_systems.get(resource_type, ()) for system in systems)

    def sends_link(self, kind: str, url: str, registered: Sequence[str] | None) -> bool:
        """Whether a card may link there.

        Args:
            kind: `absolute` or `smart`.
            url: where it leads.
            registered: beginnings of URLs that the client named; None if it named none.
        """
        return kind not in self.links_to_register if registered is None else is_registered(url, registered)


def is_registered(url: str, beginnings: Iterable[str]) -> bool:
    """Whether a URL begins with a registered one, up to the end of a host or of a part of the path (CARD-07)."""
    return any(url == one or url.startswith(one if one.endswith("/") else (f"{one}/", f"{one}?")) for one in beginnings)


def load_dialects(path: Path = TABLE) -> tuple[Mapping[str, Switch], Mapping[str, Dialect]]:
    """The switches and the dialects of a table, by name.

    Raises:
        DialectError: a switch or a value is unknown, or a row lacks its reason.
    """
    document = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    switches = {name: _switch(name, row, path) for name, row in document["switches"].items()}
    expected = {field.name for field in fields(Dialect)} - {"name"}
    if switches.keys() != expected:
        raise DialectError(f"{path.name}: switches must be exactly {', '.join(sorted(expected))}")
    standard = {name: switch.standard for name, switch in switches.items()}
    dialects = {name: _dialect(name, row, standard, path) for name, row in document["dialects"].items()}
    return MappingProxyType(switches), MappingProxyType(dialects)


def _switch(name: str, row: Json, path: Path) -> Switch:
    if missing := [key for key in ("does", "requirements", "known_from", "standard") if row.get(key) in (None, "")]:
        raise DialectError(f"{path.name}: switches.{name}: {missing[0]} is missing")
    return Switch(row["does"], tuple(row["requirements"]), row["known_from"], row["standard"])


def _dialect(name: str, row: Json, standard: Json, path: Path) -> Dialect:
    place, sets = f"{path.name}: dialects.{name}", row["sets"]
    if unknown := sets.keys() - standard.keys():
        raise DialectError(f"{place}: there is no switch {min(unknown)}")
    for switch, value in sets.items():
        if type(value) is not type(standard[switch]):
            raise DialectError(f"{place}.{switch}: must be a {type(standard[switch]).__name__}, as in the standard")
        given = value if isinstance(value, list) else [value]
        if switch in _ALLOWED and not set(given) <= _ALLOWED[switch]:
            raise DialectError(f"{place}.{switch}: may only name {', '.join(sorted(_ALLOWED[switch]))}")
    dialect = Dialect(row["name"], **{switch: _frozen(value) for switch, value in (standard | sets).items()})
    if dialect.selection_behavior == "at-most-one" and "suggestions.isRecommended" not in dialect.left_out:
        raise DialectError(f"{place}: at-most-one allows one recommended suggestion (C-22); leave out suggestions.isRecommended")
    return dialect


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType({key: _frozen(item) for key, item in value.items()}) if isinstance(value, dict) else value


SWITCHES, DIALECTS = load_dialects()
"""The packaged table."""
