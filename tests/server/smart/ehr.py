"""An EHR on loopback with everything that a launch needs: SMART configuration, authorization, tokens, FHIR.

It keeps the rules of SMART App Launch itself (PKCE, client assertions, codes that work once), and breaks those that a test names.
Tokens are signed with PyJWT, so independently of the library that verifies them.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from tests.server.charts import Json, chart, resources, searchset
from tests.server.trust.ehrs import jwk, private_key

CLIENT_ID = "myositis-app"
SECRET = "a secret of the EHR & ours"
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Ehr:
    """The EHR, and what it was asked.

    Args:
        base: FHIR base URL.
        patient: slug of the chart that is open.
        configuration, response, claims: members that are said otherwise than usual; None leaves one out.
        sign: makes the id token of its claims.
        errors: what the authorization endpoint says instead of a code.
        fhir: by resource type, the status that it answers with instead of data.
        our_keys: fetches our JWK Set.
        asked: paths, in the order in which they were asked for.
        forms: what was posted to the token endpoint.
        valid: access tokens that are good.
        refresh_tokens: that are good.
        revoked: tokens that were given back.
    """

    base: str = ""
    patient: str = "anti-tif1-gamma-dermatomyositis"
    configuration: Json = field(default_factory=dict)
    response: Json = field(default_factory=dict)
    claims: Json = field(default_factory=dict)
    sign: Callable[[Json], str] | None = None
    errors: Json = field(default_factory=dict)
    fhir: dict[str, int] = field(default_factory=dict)
    our_keys: Callable[[], Json] | None = None
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    revoked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    used_assertions: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    @property
    def root(self) -> str:
        """Its origin."""
        return self.base.removesuffix("/fhir")

    def answer(self, method: str, path: str, form: dict[str, str], headers: Any) -> Answer:
        """Answer one request."""
        self.asked.append(path)
        url = urlsplit(path)
        match url.path:
            case "/fhir/.well-known/smart-configuration":
                return 200, {}, self._configuration()
            case "/keys":
                return 200, {}, {"keys": [jwk(private_key("RSA-2048", "ehr"), kid="ehr", use="sig", alg="RS256")]}
            case "/authorize":
                return self._authorize({name: values[0] for name, values in parse_qs(url.query).items()})
            case "/token":
                with self.lock:
                    return self._token(form, headers)
            case "/revoke":
                self.revoked.append(form["token"])
                self.valid.discard(form["token"])
                self.refresh_tokens.discard(form["token"])
                return 200, {}, {}
            case _:
                return self._fhir(url.path.removeprefix("/fhir/"), headers)

    def id_token(self, claims: Json) -> str:
        """An id token as it should be."""
        return jwt.encode(claims, private_key("RSA-2048", "ehr"), "RS256", {"kid": "ehr"})

    def _configuration(self) -> Json:
        usual: Json = {
            "issuer": self.base,
            "jwks_uri": f"{self.root}/keys",
            "authorization_endpoint": f"{self.root}/authorize",
            "token_endpoint": f"{self.root}/token",
            "revocation_endpoint": f"{self.root}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "permission-v2", "sso-openid-connect"],
            "scopes_supported": ["online_access"],
        }
        return _changed(usual, self.configuration)

    def _authorize(self, asked: dict[str, str]) -> Answer:
        code = token_urlsafe(16)
        self.codes[code] = asked
        answer = {"state": asked["state"], **(self.errors or {"code": code})}
        return 302, {"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"}, {}

    def _token(self, form: dict[str, str], headers: Any) -> Answer:
        self.forms.append(form)
        if not self._is_us(form, headers):
            return 401, {}, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {}, {"error": "invalid_grant"}
            self.refresh_tokens.discard(form["refresh_token"])
            self.valid.clear()
            return 200, {}, self._granted({"scope": "refreshed"})
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if not asked or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {}, {"error": "invalid_grant"}
        return 200, {}, self._granted(asked)

    def _is_us(self, form: dict[str, str], headers: Any) -> bool:
        if self.our_keys is None:
            pair = b"myositis-app:a+secret+of+the+EHR+%26+ours"
            return bool(headers.get("Authorization") == f"Basic {_base64(pair)}")
        assertion = form["client_assertion"]
        header = jwt.get_unverified_header(assertion)
        (key,) = (jwt.PyJWK(one) for one in self.our_keys()["keys"] if one["kid"] == header["kid"])
        claims = jwt.decode(assertion, key, [header["alg"]], audience=f"{self.root}/token", issuer=CLIENT_ID)
        is_right = claims["sub"] == CLIENT_ID and claims["exp"] - claims["iat"] <= 300 and header["typ"] == "JWT"
        is_new = claims["jti"] not in self.used_assertions
        self.used_assertions.add(claims["jti"])
        return is_right and is_new

    def _granted(self, asked: dict[str, str]) -> Json:
        token, refresh = f"access-canary-{token_urlsafe(8)}", f"refresh-canary-{token_urlsafe(8)}"
        self.valid.add(token)
        self.refresh_tokens.add(refresh)
        if "nonce" not in asked:
            return _changed({"access_token": token, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh}, {})
        now = int(time.time())
        claims: Json = {"iss": self.base, "sub": "u", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = _changed(claims | {"fhirUser": f"{self.base}/Practitioner/dr"}, self.claims)
        usual = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": 300,
            "scope": asked["scope"],
            "patient": self.patient,
            "refresh_token": refresh,
            "id_token": (self.sign or self.id_token)(claims),
        }
        return _changed(usual, self.response)

    def _fhir(self, path: str, headers: Any) -> Answer:
        kind, _, _ = path.partition("/")
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return 401, {}, {}
        if kind in self.fhir:
            return self.fhir[kind], {}, {}
        found = [one for one in resources(chart(self.patient)) if one["resourceType"] == kind]
        return 200, {}, found[0] if kind == "Patient" else searchset(found)


@contextmanager
def running(ehr: Ehr) -> Iterator[Ehr]:
    """Run one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer("POST", {name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, method: str, form: dict[str, str]) -> None:
            status, headers, content = ehr.answer(method, self.path, form, self.headers)
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    ehr.base = f"http://127.0.0.1:{server.server_port}/fhir"
    try:
        yield ehr
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _changed(usual: Json, changes: Json) -> Json:
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().replace("-", "+").replace("_", "/")
