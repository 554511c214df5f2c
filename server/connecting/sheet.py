"""The connection sheet: what an EHR analyst types by hand, where an EHR does not read discovery (conformance D-15, J-5).

Everything on it is taken from the objects that serve: services, prefetch templates, orders, topics, override reasons, dialects,
settings and the registered client. It holds no secret, so that it can be printed and sent on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from cards.knowledge import Knowledge
from cards.override_reasons import reasons
from fhir_profiles.systems import oid_of
from server.basis import Basis
from server.cds_hooks.dialects import DIALECTS, SWITCHES, Dialect, is_registered
from server.cds_hooks.discovery import CDS_HOOKS_VERSION
from server.cds_hooks.prefetch import TEMPLATES, Need
from server.cds_hooks.services import SERVICES
from server.config import Config
from server.connecting.examples import Example, example_of
from server.connecting.scopes import Scope, scopes_for
from server.smart.paths import CALLBACK_PATH, JWKS_PATH, LAUNCH_PATH
from server.trust.clients import Client, SmartRegistration

ANY_CLIENT = Client("any")
"""Whoever is not registered yet; the sheet then shows what a client is registered with unless it asks for something else."""

ABOUT_THE_LAUNCH = ("launch", "launch/patient", "openid", "fhirUser", "online_access")
"""The scopes that the SMART app asks for besides those of reading."""

NEEDS: Mapping[Need, str] = {
    Need.REQUIRED: "Required: without it nobody can be told whether there is anything to say.",
    Need.DEGRADE: "Wanted: without it the cards say what could not be assessed.",
}


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service to register."""

    id: str
    hook: str
    title: str
    description: str
    url: str
    feedback_url: str


@dataclass(frozen=True, slots=True)
class PrefetchEntry:
    """One prefetch key to type in."""

    key: str
    query: str
    resource_type: str
    need: str


@dataclass(frozen=True, slots=True)
class Coding:
    """One code that a suggested order may carry, as this client is sent it."""

    system: str
    oid: str | None
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """One order that a card may suggest.

    Args:
        key: its name in the knowledge.
        resource_type: of the draft.
        title: its text.
        codings: its codes; none for an order in words.
        is_offered: whether this client can take it; otherwise the card says it in words only.
    """

    key: str
    resource_type: str
    title: str
    codings: tuple[Coding, ...]
    is_offered: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that is called, and the values of `aud` that a token for it may carry."""

    what: str
    method: str
    url: str
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """How calls are signed; `needed` is false where the service is open."""

    needed: bool
    issuer: str | None
    keys: str | None
    algorithms: tuple[str, ...]
    longest_life: int
    replay_check: bool
    tenants: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """A beginning of URLs that cards link to, and whether this client is sent such links."""

    beginning: str
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of cards, as this client is sent its code."""

    code: str
    display: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ReasonEntry:
    """A reason for not following a card, and for how many days it quiets the same advice at most."""

    system: str
    code: str
    display: str
    quiet_days: int


@dataclass(frozen=True, slots=True)
class SwitchEntry:
    """A switch of the client's dialect that differs from the standard."""

    name: str
    value: str
    does: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppEntry:
    """How the SMART app is registered with the EHR.

    Args:
        client_id: that the EHR gave it; None as long as it has none.
        authentication: how the app shows who it is.
        launch_url, redirect_uri, jwks_url: ours.
        scopes_v1, scopes_v2: what it may ask for, as SMART 1 and SMART 2 spell it.
        is_linked: whether cards link to it.
    """

    client_id: str | None
    authentication: str
    launch_url: str
    redirect_uri: str
    jwks_url: str
    scopes_v1: tuple[str, ...]
    scopes_v2: tuple[str, ...]
    is_linked: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """The connection sheet of one client."""

    client: str | None
    public_url: str
    cds_hooks_version: str
    knowledge_version: str
    is_in_shadow: bool
    dialect: str
    dialect_name: str
    switches: tuple[SwitchEntry, ...]
    services: tuple[ServiceEntry, ...]
    prefetch: tuple[PrefetchEntry, ...]
    scopes: tuple[Scope, ...]
    fhir_servers: tuple[str, ...]
    app: AppEntry
    tokens: Tokens
    override_reasons: tuple[ReasonEntry, ...]
    topics: tuple[Topic, ...]
    links: tuple[LinkEntry, ...]
    orders: tuple[OrderEntry, ...]
    examples: tuple[Example, ...]

    def as_json(self) -> dict[str, Any]:
        """The sheet as plain JSON values."""
        return asdict(self)


def make_sheet(config: Config, basis: Basis, client: Client = ANY_CLIENT) -> Sheet:
    """Make the connection sheet.

    Args:
        config: the settings.
        basis: terminology and knowledge.
        client: for whom; by default for any EHR, as a client is registered by default.
    """
    dialect, known = DIALECTS[client.dialect], basis.knowledge
    return Sheet(
        client=None if client is ANY_CLIENT else client.name,
        public_url=config.public_url,
        cds_hooks_version=CDS_HOOKS_VERSION,
        knowledge_version=known.version,
        is_in_shadow=client.is_in_shadow,
        dialect=client.dialect,
        dialect_name=dialect.name,
        switches=_switches(dialect),
        services=_services(config),
        prefetch=tuple(PrefetchEntry(t.key, t.query, t.resource_type, NEEDS[t.need]) for t in TEMPLATES),
        scopes=scopes_for(TEMPLATES),
        fhir_servers=client.fhir_servers,
        app=_app(config, client, dialect),
        tokens=_tokens(config, client, dialect),
        override_reasons=_reasons(client, dialect),
        topics=tuple(
            Topic(dialect.topic_code(t.code), t.display, t.code not in client.topics_off) for t in known.topics.values()
        ),
        links=_links(known, client, dialect),
        orders=tuple(_order(key, entry, dialect) for key, entry in known.orders.items()),
        examples=tuple(example_of(service, client, basis) for service in SERVICES.values()),
    )


def _switches(dialect: Dialect) -> tuple[SwitchEntry, ...]:
    return tuple(
        SwitchEntry(name, _in_words(value), SWITCHES[name].does, SWITCHES[name].requirements)
        for name, value in dialect.set_apart.items()
    )


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_in_words(item)}" for key, item in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)


def _services(config: Config) -> tuple[ServiceEntry, ...]:
    found = []
    for service in SERVICES.values():
        url = f"{config.public_url}/cds-services/{service.id}"
        found.append(ServiceEntry(service.id, service.hook, service.title, service.description, url, f"{url}/feedback"))
    return tuple(found)


def _app(config: Config, client: Client, dialect: Dialect) -> AppEntry:
    needed = [scope for scope in scopes_for(TEMPLATES) if scope.resource_type not in client.fhir_types_missing]
    extra = client.smart.scopes if client.smart else ()
    return AppEntry(
        client_id=client.smart.client_id if client.smart else None,
        authentication=(client.smart or SmartRegistration("")).authentication,
        launch_url=f"{config.public_url}{LAUNCH_PATH}",
        redirect_uri=f"{config.public_url}{CALLBACK_PATH}",
        jwks_url=f"{config.public_url}{JWKS_PATH}",
        scopes_v1=(*ABOUT_THE_LAUNCH, *(scope.v1 for scope in needed), *extra),
        scopes_v2=(*ABOUT_THE_LAUNCH, *(scope.v2 for scope in needed), *extra),
        is_linked=client.smart is not None and dialect.sends_link("smart", f"{config.public_url}{LAUNCH_PATH}", client.links),
    )


def _tokens(config: Config, client: Client, dialect: Dialect) -> Tokens:
    called = [("discovery", "GET", f"{config.public_url}/cds-services")]
    for service in _services(config):
        called += [(service.id, "POST", service.url), (f"{service.id}, feedback", "POST", service.feedback_url)]
    endpoints = (Endpoint(what, method, url, (*dialect.audiences(url), *client.audiences)) for what, method, url in called)
    return Tokens(
        needed=config.clients is not None or client.issuer is not None,
        issuer=client.issuer,
        keys=client.jwks_url or ("registered with us" if client.jwks is not None else None),
        algorithms=client.algorithms,
        longest_life=client.longest_life,
        replay_check=client.replay_check,
        tenants=client.tenants,
        endpoints=tuple(endpoints),
    )


def _reasons(client: Client, dialect: Dialect) -> tuple[ReasonEntry, ...]:
    if "overrideReasons" in dialect.left_out:
        return ()
    return tuple(ReasonEntry(r.system, r.code, r.display, min(r.quiet_days, client.snooze_days)) for r in reasons())


def _links(known: Knowledge, client: Client, dialect: Dialect) -> tuple[LinkEntry, ...]:
    """The servers that cards link to; what they show there is never about a patient."""
    urls = sorted({source.url for source in known.sources.values() if source.url})
    sent = {url: dialect.sends_link("absolute", url, client.links) for url in urls}
    beginnings = dict.fromkeys(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/" for url in urls)
    return tuple(LinkEntry(one, any(sent[url] for url in urls if is_registered(url, [one]))) for one in beginnings)


def _order(key: str, entry: Mapping[str, Any], dialect: Dialect) -> OrderEntry:
    codings = [coding | {"system": dialect.spelling(coding["system"])} for coding in entry.get("coding", ())]
    return OrderEntry(
        key=key,
        resource_type=entry["resource"],
        title=entry["title"],
        codings=tuple(Coding(c["system"], oid_of(c["system"]), c["code"], c["display"]) for c in codings),
        is_offered=dialect.takes_order(entry["resource"], [coding["system"] for coding in codings]),
    )
