"""A service with the app, an EHR that has registered it, and a browser between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from server.application import create_app
from server.runtime import Runtime, open_runtime
from server.trust.clients import Client, SmartRegistration
from tests.server.conftest import CONFIG
from tests.server.smart.ehr import CLIENT_ID, Ehr, running

PUBLIC_URL = "http://127.0.0.1:8000"
REGISTRATION = SmartRegistration(CLIENT_ID)


@pytest.fixture(autouse=True)
def _patience_of_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The EHR of these tests is a thread of the same process, and may wait for seconds while others compute."""
    monkeypatch.setattr("server.smart.configuration.SECONDS", 20.0)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """An EHR."""
    with running(Ehr()) as one:
        yield one


@pytest.fixture
def other_ehr() -> Iterator[Ehr]:
    """Another EHR, with another patient open."""
    with running(Ehr(patient="healthy")) as one:
        yield one


@dataclass
class Service:
    """The service with the app.

    Args:
        runtime: its parts.
        app: the application.
    """

    runtime: Runtime
    app: Flask = field(repr=False)

    def browser(self) -> "Browser":
        """A new browser."""
        return Browser(self.app.test_client())


@dataclass
class Browser:
    """A browser: keeps cookies, and goes where it is sent.

    Args:
        client: of the application.
        seen: URLs that it was sent to.
    """

    client: FlaskClient
    seen: list[str] = field(default_factory=list)

    def get(self, path: str, **more: Any) -> TestResponse:
        """A page of ours."""
        return self.client.get(path, **more)

    def begin(self, ehr: Ehr, launch: str | None = "xyz") -> str:
        """Begin a launch; where the EHR is asked."""
        query = {"iss": ehr.base} | ({} if launch is None else {"launch": launch})
        response = self.client.get("/smart/launch", query_string=query)
        assert response.status_code == 303
        self.seen.append(response.headers["Location"])
        return response.headers["Location"]

    def authorize(self, url: str) -> str:
        """Sign in at the EHR; path and query of the callback that it sends the browser to."""
        answer = requests.get(url, allow_redirects=False, timeout=5)
        self.seen.append(answer.headers["Location"])
        callback = urlsplit(answer.headers["Location"])
        return f"{callback.path}?{callback.query}"

    def launch(self, ehr: Ehr, launch: str | None = "xyz") -> TestResponse:
        """Go the whole way to the answer of the callback."""
        return self.client.get(self.authorize(self.begin(ehr, launch)))

    def open(self, ehr: Ehr, launch: str | None = "xyz") -> str:
        """Go the whole way to the path of the patient's page."""
        return self.finish(self.begin(ehr, launch))

    def finish(self, url: str) -> str:
        """Sign in, and come back; the path of the patient's page."""
        response = self.client.get(self.authorize(url))
        assert response.status_code == 303, response.text
        self.seen.append(response.headers["Location"])
        return urlsplit(response.headers["Location"]).path

    def leave(self, path: str, token: str, **headers: str) -> TestResponse:
        """Send the form that closes a patient."""
        return self.client.post(f"{path}/logout", data={"form_token": token}, headers=headers)


def parameters(url: str) -> dict[str, str]:
    """The query of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


Start = Callable[..., Service]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a service for EHRs, each a client of its own."""
    engines: list[Engine] = []

    def starts(
        *ehrs: Ehr,
        registration: SmartRegistration = REGISTRATION,
        fhir_types_missing: frozenset[str] = frozenset(),
        language: str | None = None,
        **settings: Any,
    ) -> Service:
        clients = [
            Client(
                f"hospital-{number}",
                issuer=f"https://{number}.example",
                fhir_servers=(one.base,),
                fhir_types_missing=fhir_types_missing,
                language=language,
                smart=registration,
                jwks={"keys": []},
            )
            for number, one in enumerate(ehrs, 1)
        ]
        config = replace(CONFIG, **{"public_url": PUBLIC_URL, **settings})
        runtime = open_runtime(config, clients=clients)
        engines.append(runtime.database)
        service = Service(runtime, create_app(config, runtime=runtime))
        for one in ehrs:
            if not registration.secret:
                one.our_keys = lambda: service.app.test_client().get("/.well-known/jwks.json").get_json()
        return service

    yield starts
    for engine in engines:
        engine.dispose()


@pytest.fixture
def service(start: Start, ehr: Ehr) -> Service:
    """A service for one EHR."""
    return start(ehr)


@pytest.fixture
def browser(service: Service) -> Browser:
    """A browser in front of it."""
    return service.browser()


@pytest.fixture
def key_folder(tmp_path: Path) -> Path:
    """Where tests put files of keys."""
    return tmp_path
