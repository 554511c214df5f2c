"""The decision support services that this EHR calls, registered by their discovery URL (CDS Hooks 2.0.1, "Discovery")."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sandbox.dialects import DIALECTS
from sandbox.errors import DeskError, ServiceError
from sandbox.exchange import get_json, has_objects
from sandbox.fhir_parts import Json
from sandbox.signing import Signer
from sandbox.web_addresses import is_web_address

DISCOVERY = "/cds-services"
FRESH_SECONDS = 60.0
"""For so long discovery is not read again by itself."""

_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+", re.ASCII)
"""One segment of a path (RFC 3986, section 3.3), so that no id leads to another place than below discovery."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, as discovery has it.

    Args:
        discovery_url: where it was found.
        service_id, hook, title, description, usage: as it says; the title is its id where it has none.
        prefetch: FHIR query template by key.
    """

    discovery_url: str
    service_id: str
    hook: str
    title: str
    description: str = ""
    usage: str = ""
    prefetch: Mapping[str, str] = field(default_factory=dict)

    def url(self, *, double_slash: bool = False) -> str:
        """Where it is called."""
        return f"{self.discovery_url}{'//' if double_slash else '/'}{self.service_id}"


@dataclass(frozen=True, slots=True)
class Provider:
    """What stands behind one discovery URL.

    Args:
        discovery_url: of the provider.
        services: what discovery listed when it was last read.
        trouble: why it cannot be used, in a sentence; empty if it can.
        read_at: when it was read, on a clock of seconds that only goes forward.
    """

    discovery_url: str
    services: tuple[Service, ...] = ()
    trouble: str = ""
    read_at: float = field(default=-FRESH_SECONDS, compare=False)


class Services:
    """The registered services; threads may use it at the same time."""

    def __init__(self, signer: Signer, urls: Iterable[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        """Register the first ones; their discovery is read when they are needed.

        Args:
            signer: signs the calls of discovery.
            urls: discovery URLs.
            clock: seconds.
        """
        self._signer, self._clock = signer, clock
        self._providers = {url: Provider(url) for url in map(discovery_url, urls)}
        self._lock = Lock()

    def providers(self) -> Sequence[Provider]:
        """All that are registered, their discovery read."""
        return [self._fresh(url) for url in tuple(self._providers)]

    def add(self, url: str) -> Provider:
        """Register a provider and read its discovery, in words what is wrong with it.

        Raises:
            DeskError: it is no such URL, or registered already.
        """
        normal = discovery_url(url)
        with self._lock:
            if normal in self._providers:
                raise DeskError("This service is registered already.")
            self._providers[normal] = Provider(normal)
        return self.read(normal)

    def remove(self, url: str) -> None:
        """Take a provider away.

        Raises:
            DeskError: it is not registered.
        """
        with self._lock:
            if self._providers.pop(url, None) is None:
                raise DeskError("This service is not registered.")

    def read(self, url: str) -> Provider:
        """Read the discovery of a registered provider now.

        Raises:
            DeskError: it is not registered.
        """
        if url not in self._providers:
            raise DeskError("This service is not registered.")
        try:
            token = self._signer.token_for(url, DIALECTS["standard"])
            services, trouble = read_discovery(url, get_json(url, token).body), ""
        except ServiceError as error:
            services, trouble = (), str(error)
        provider = Provider(url, services, trouble, self._clock())
        with self._lock:
            if url in self._providers:
                self._providers[url] = provider
        return provider

    def with_hook(self, hook: str) -> Sequence[Service | Provider]:
        """The services that a hook is fired at; a provider in trouble stands for its own."""
        found: list[Service | Provider] = []
        for provider in self.providers():
            found += [provider] if provider.trouble else [one for one in provider.services if one.hook == hook]
        return found

    def _fresh(self, url: str) -> Provider:
        provider = self._providers.get(url, Provider(url))
        is_fresh = not provider.trouble and self._clock() - provider.read_at < FRESH_SECONDS
        return provider if is_fresh or url not in self._providers else self.read(url)


def discovery_url(url: str) -> str:
    """A discovery URL in one spelling; the base URL of a service will do (conformance D-1).

    Raises:
        DeskError: it is no URL over HTTP.
    """
    text = url.strip().rstrip("/")
    if not _is_web_address(text):
        raise DeskError("That is no address of a service. Write its discovery URL, such as https://cds.example/cds-services.")
    return text if text.endswith(DISCOVERY) else text + DISCOVERY


def _is_web_address(text: str) -> bool:
    return text.isascii() and not any(character in text for character in "@?#") and is_web_address(text)


def read_discovery(url: str, body: Any) -> tuple[Service, ...]:
    """What discovery lists (conformance D-2 to D-7).

    Raises:
        ServiceError: it is not as the specification says.
    """
    if not has_objects(body, "services"):
        raise ServiceError(f"Discovery answered, but it holds no list of services ({url}).")
    return tuple(_service(url, number, entry) for number, entry in enumerate(body["services"], 1))


def _service(url: str, number: int, entry: Json) -> Service:
    if not all(isinstance(entry.get(name), str) and entry[name] for name in ("id", "hook")):
        raise ServiceError(f"Discovery answered, but service number {number} has no id, or no hook ({url}).")
    if not _SEGMENT.fullmatch(entry["id"]) or set(entry["id"]) == {"."}:
        raise ServiceError(f"Discovery answered, but the id of service number {number} is no part of an address ({url}).")
    templates = entry.get("prefetch", {})
    if not isinstance(templates, dict) or not all(isinstance(template, str) for template in templates.values()):
        raise ServiceError(f"Discovery answered, but the prefetch templates of service number {number} are not texts ({url}).")
    title, description, usage = (str(entry.get(name) or "") for name in ("title", "description", "usageRequirements"))
    return Service(url, entry["id"], entry["hook"], title or entry["id"], description, usage, templates)
