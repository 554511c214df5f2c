"""A service with registered clients, without a network: each JWK Set is answered from a table."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.application import create_app
from server.config import Config
from server.outbound.http import Answer, OutboundError
from server.runtime import Runtime, open_runtime
from server.trust.clients import Client
from server.trust.keys import ClientKeys
from tests.server.charts import AS_OF, dermatomyositis, hook_call
from tests.server.trust.ehrs import PUBLIC_URL, Ehr, Json, bearer
from tests.server.trust.wrong_tokens import CLINIC, HOSPITAL, published_by

CONFIG = Config(public_url=PUBLIC_URL, today=lambda: AS_OF)


@dataclass
class Web:
    """Every server outside, as far as these tests know: answers by URL, and which were asked for."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, **options: Any) -> Answer:
        """In place of `server.outbound.http.get`."""
        self.asked.append(url)
        if url not in self.answers:
            raise OutboundError("no-connection")
        return self.answers[url]

    def publish(self, url: str, document: Json, **headers: str) -> None:
        """Answer with JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[url] = Answer(200, named, json.dumps(document).encode())


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture(scope="session")
def ehrs() -> Mapping[str, Ehr]:
    """Two EHRs, by name."""
    return {name: Ehr(name, f"https://{name}.example/jwks.json") for name in (HOSPITAL, CLINIC)}


@dataclass
class Service:
    """The application, with what it is made of, and the tokens that it tried to remember."""

    runtime: Runtime
    client: FlaskClient
    used: list[tuple[str, str, int]]
    keys: Mapping[str, ClientKeys]

    def call(self, headers: Any, path: str = "/cds-services/myositis-patient-view") -> TestResponse:
        """Call the service of patient-view."""
        return self.client.post(path, json=hook_call("p1", dermatomyositis()), headers=headers)

    def status(self, token: str) -> int:
        """The status of a call with this token."""
        return self.call(bearer(token)).status_code


@pytest.fixture
def serve(web: Web) -> Callable[..., Service]:
    """Makes a service for clients; `config` and further parts of the gate can be given."""

    def make(*clients: Client, config: Config = CONFIG, **parts: Any) -> Service:
        runtime = open_runtime(config, clients=clients)
        keys = {client.name: ClientKeys(client, fetch=web.get) for client in clients}
        used: list[tuple[str, str, int]] = []

        def is_new(issuer: str, jti: str, until: int, issued: float) -> bool:
            used.append((issuer, jti, until))
            return runtime.gate.is_new(issuer, jti, until, issued)

        gate = replace(runtime.gate, **({"keys": keys, "is_new": is_new} | parts))
        return Service(runtime, create_app(config, runtime=replace(runtime, gate=gate)).test_client(), used, keys)

    return make


@pytest.fixture
def registered(ehrs: Mapping[str, Ehr]) -> list[Client]:
    """The clients of the table of wrong tokens."""
    return [ehrs[HOSPITAL].client(), ehrs[CLINIC].client(tenants=("north", "south"))]


@pytest.fixture
def service(serve: Callable[..., Service], registered: list[Client], ehrs: Mapping[str, Ehr], web: Web) -> Service:
    """A service for those clients, whose JWK Sets are published."""
    for ehr in ehrs.values():
        web.publish(ehr.jwks_url, published_by(ehr))
    return serve(*registered)
