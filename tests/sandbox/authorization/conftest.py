"""An EHR with its authorization server, and an app that launches, without a network but for the app's JWK Set."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from jwt.algorithms import ECAlgorithm
from werkzeug.test import TestResponse

import sandbox
from sandbox.authorization.authorization import Authorization
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.smart_apps import SmartApp
from sandbox.chart_store import ChartStore
from sandbox.ehr import ehr_blueprints
from sandbox.faults import Fault
from sandbox.keys import EhrKeys
from tests.sandbox.conftest import AS_OF

PATIENT = "anti-tif1-gamma-dermatomyositis"
OTHER = "healthy"
ORIGIN = "http://localhost"
FHIR_BASE = f"{ORIGIN}/fhir"
REDIRECT = "http://app.example:8000/smart/callback"
VERIFIER = "v" * 64
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = ("launch", "launch/patient", "openid", "fhirUser", "online_access", "offline_access", "patient/*.rs", "user/*.read")
ASKED = "launch openid fhirUser online_access patient/Condition.rs patient/Observation.rs"


@dataclass
class Clock:
    """A clock that a test moves."""

    seconds: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.seconds


@dataclass
class App:
    """A SMART app, as far as a browser and a server of it speak to the EHR.

    Args:
        browser: speaks to the EHR.
        authorization: of the EHR.
        client_id: which of the registered apps it is.
        key: it signs its assertions with.
    """

    browser: FlaskClient
    authorization: Authorization
    client_id: str = "confidential"
    key: Any = None
    kid: str = "app-key"

    def request(self, **changed: str | None) -> dict[str, str]:
        """An authorization request; None leaves a parameter out."""
        sound: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": ASKED,
            "state": uuid.uuid4().hex,
            "aud": FHIR_BASE,
            "nonce": uuid.uuid4().hex,
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (sound | changed).items() if value is not None}

    def authorize(self, **changed: str | None) -> TestResponse:
        """Ask for a code, from a chart of which the clinician is logged in unless a test says otherwise."""
        launch = {} if "launch" in changed else {"launch": self.authorization.launch(PATIENT)}
        return self.browser.get("/auth/authorize", query_string=self.request(**launch, **changed))

    def code(self, **changed: str | None) -> str:
        """A code."""
        return answer_of(self.authorize(**changed))["code"]

    def assertion(self, headers: dict[str, Any] | None = None, key: Any = None, algorithm: str = "ES384", **changed: Any) -> str:
        """A client assertion; None leaves a claim out."""
        sound = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{ORIGIN}/auth/token",
            "exp": int(self.authorization.memory.now()) + 240,
            "jti": uuid.uuid4().hex,
        }
        claims = {name: value for name, value in (sound | changed).items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm, headers={"kid": self.kid} | (headers or {}))

    def ask_for_token(self, code: str, **changed: str | None) -> TestResponse:
        """Exchange a code."""
        sound: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return self.post("/auth/token", **(sound | changed))

    def refresh(self, refresh_token: str, **more: str | None) -> TestResponse:
        """Exchange a refresh token."""
        return self.post("/auth/token", grant_type="refresh_token", refresh_token=refresh_token, **more)

    def post(self, path: str, **form: str | None) -> TestResponse:
        """Post a form, with the authentication that the app is registered for."""
        headers = {}
        if self.client_id == "confidential":
            form = {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()} | form
        elif self.client_id == "symmetric":
            headers["Authorization"] = "Basic c3ltbWV0cmljOnN5bnRoZXRpYy1zZWNyZXQ="
        else:
            form = {"client_id": self.client_id} | form
        sent = {name: value for name, value in form.items() if value is not None}
        return self.browser.post(path, data=sent, headers=headers)

    def tokens(self, **changed: str | None) -> dict[str, Any]:
        """Everything from launch to tokens."""
        response = self.ask_for_token(self.code(**changed))
        assert response.status_code == 200, response.get_data(as_text=True)
        tokens: dict[str, Any] = response.get_json()
        return tokens

    def fhir(self, path: str, token: str) -> TestResponse:
        """Read something."""
        return self.browser.get(f"/fhir/{path}", headers={"Authorization": f"Bearer {token}"})


def answer_of(response: TestResponse) -> dict[str, str]:
    """What the EHR tells an app over the browser."""
    assert response.status_code == 302, response.get_data(as_text=True)
    assert response.location.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(response.location).query).items()}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults() -> dict[str, Fault]:
    """Faults of the FHIR API; a test puts some in."""
    return {}


@pytest.fixture
def misbehaviour() -> list[Misbehaviour]:
    """What is switched on; a test replaces the one that is in it."""
    return [Misbehaviour()]


@pytest.fixture(scope="session")
def ehr_keys() -> EhrKeys:
    return EhrKeys()


@pytest.fixture(scope="session")
def app_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@pytest.fixture(scope="session")
def jwks_url(app_key: ec.EllipticCurvePrivateKey) -> Iterator[str]:
    """Where the keys of the app are."""
    public = json.loads(ECAlgorithm.to_jwk(app_key.public_key())) | {"kid": "app-key", "alg": "ES384", "use": "sig"}
    body = json.dumps({"keys": [public]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def authorization(ehr_keys: EhrKeys, clock: Clock, misbehaviour: list[Misbehaviour], jwks_url: str) -> Authorization:
    """The authorization server, with one app of each kind."""
    made = Authorization(ChartStore(lambda: AS_OF), ehr_keys, ORIGIN, misbehaviour=lambda: misbehaviour[0], now=clock)
    launch_url = "http://app.example:8000/smart/launch"
    made.register(SmartApp("confidential", "Confidential app", (REDIRECT,), launch_url, SCOPES, jwks_url=jwks_url))
    made.register(SmartApp("symmetric", "Symmetric app", (REDIRECT,), launch_url, SCOPES, secret="synthetic-secret"))
    made.register(SmartApp("public", "Public app", (REDIRECT,), launch_url, SCOPES))
    made.register(SmartApp("backend", "Backend", (), "", ("system/*.rs",), jwks_url=jwks_url))
    return made


@pytest.fixture
def browser(authorization: Authorization, faults: dict[str, Fault]) -> FlaskClient:
    """A browser at the EHR. The pages stand in a bare frame, so that these tests know nothing of the rest of the sandbox."""
    ehr = Flask("sandbox.application")
    frame = {"page.html": "<title>{% block title %}{% endblock %}</title>{% block main %}{% endblock %}"}
    templates = FileSystemLoader(Path(sandbox.__file__).with_name("templates"))
    ehr.jinja_loader = ChoiceLoader([DictLoader(frame), templates])
    for blueprint in ehr_blueprints(authorization, faults=lambda: faults):
        ehr.register_blueprint(blueprint)
    return ehr.test_client()


@pytest.fixture
def app(browser: FlaskClient, authorization: Authorization, app_key: Any) -> App:
    """The app with a key of its own."""
    return App(browser, authorization, key=app_key)
