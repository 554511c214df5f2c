"""Registered clients: the EHRs that may call, as `clients.toml` names them (design section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_ALGORITHMS = ("ES384", "RS384")
"""What CDS Hooks recommends (conformance J-15)."""


@dataclass(frozen=True, slots=True)
class SmartRegistration:
    """Our app, as one EHR has registered it.

    Args:
        client_id: that the EHR gave it.
        authentication: `private_key_jwt` or `client_secret_basic`.
        secret: for the latter.
        scopes: to ask for besides those that reading needs.
        frame_ancestors: web origins that may show the app in a frame.
    """

    client_id: str
    authentication: str = "private_key_jwt"
    secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """One registered EHR.

    Args:
        name: our name for it; letters, digits, hyphens. The only thing about it that logs and figures show.
        issuer: `iss` of its tokens; None for the open client, which needs no token.
        jwks_url: where its JWK Set is; also the only `jku` that its tokens may name.
        jwks: its JWK Set where it is given inline or as a file, instead of a URL.
        algorithms: signature algorithms that are accepted.
        audiences: further values of `aud` that are accepted for every endpoint (Epic's is typed in by hand).
        tenants: the `tenant` claims that are accepted; empty accepts any.
        longest_life: most seconds between `iat` and `exp` of a token.
        replay_check: whether a token is accepted once only.
        fhir_servers: base URLs that may be called, without a trailing slash.
        fhir_without_token: call them even if no access token was sent; for development servers on this machine.
        fhir_types_missing: resource types that its FHIR servers do not have, so that they are not asked for; they count as not
            supplied, instead of as failed.
        ca_file: certificates to trust besides the system's, for its FHIR servers and JWK Set.
        dialect: name of a dialect (`server/cds_hooks/dialects.yaml`).
        links: beginnings of URLs that cards may link to; None for any.
        topics_off: topics that it is not told about.
        card_cap: at most so many cards; None for the service's own setting.
        origins: web origins from which its pages call us (CORS).
        snooze_days: how long an override with a coded reason silences the same advice; 0 never.
        language: of its readers, `en` or `de`; None where nobody set it: browsers decide, and cards are English.
        smart: our app there; None if it is not registered.
        mode: `advise`, or `shadow`: evaluated and recorded, and nothing is shown.
        least_indicator: of the cards that it is shown: `info` for all of them, `warning`, `critical`.
        requests_per_second: that it may send on average; None for the service's own setting.
    """

    name: str
    issuer: str | None = None
    jwks_url: str | None = None
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    longest_life: int = 300
    replay_check: bool = True
    fhir_servers: tuple[str, ...] = ()
    fhir_without_token: bool = False
    ca_file: Path | None = None
    dialect: str = "standard"
    links: tuple[str, ...] | None = None
    topics_off: frozenset[str] = frozenset()
    card_cap: int | None = None
    origins: tuple[str, ...] = ()
    snooze_days: int = 30
    fhir_types_missing: frozenset[str] = frozenset()
    language: str | None = None
    smart: SmartRegistration | None = None
    mode: str = "advise"
    least_indicator: str = "info"
    requests_per_second: int | None = None

    @property
    def is_in_shadow(self) -> bool:
        """Whether nothing of what is found out for it is shown."""
        return self.mode == "shadow"


OPEN_CLIENT = Client("open")
"""Whoever calls a service without registered clients; it answers on this machine only."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        client: the registered client, or `OPEN_CLIENT`.
        tenant: its `tenant` claim, if it sent one.
    """

    client: Client
    tenant: str | None = None
