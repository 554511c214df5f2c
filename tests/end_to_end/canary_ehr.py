"""An EHR whose patient, user and tokens are canaries; it remembers every URL that it was asked for."""

import time
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.canary import Canaries
from tests.server.charts import ANTI_TIF1, Json, chart, resources, searchset
from tests.server.smart.ehr import Answer, Ehr
from tests.server.trust.ehrs import Ehr as Signer
from tests.server.trust.ehrs import jwk


@dataclass
class CanaryEhr(Ehr):
    """The EHR.

    Args:
        canaries: that it hands out.
        spoilt: whether its FHIR server answers every search with an error that is full of canaries.
    """

    canaries: Canaries = field(default_factory=Canaries)
    spoilt: bool = False

    def __post_init__(self) -> None:
        """Everything that it grants is a canary."""
        marked = self.canaries.of
        self.patient = marked("patient")
        self.response = {"access_token": marked("access"), "refresh_token": marked("refresh")}
        self.valid = {marked("access"), marked("hookaccess")}
        self.refresh_tokens = {marked("refresh")}
        self.chart = self.canaries.put_into(chart(ANTI_TIF1), ANTI_TIF1)
        self.signer = Signer("hospital", "")

    def answer(self, method: str, path: str, form: dict[str, str], headers: Any) -> Answer:
        """Answer one request, and keep what only we two know."""
        for kind in ("code_verifier", "client_assertion"):
            if kind in form:
                self.canaries.keep(kind, form[kind])
        return super().answer(method, path, form, headers)

    def sign_in(self) -> None:
        """Say who is at the screen; once it is known where this EHR is."""
        marked = self.canaries.of
        self.claims = {
            "sub": marked("subject"),
            "name": marked("username"),
            "fhirUser": f"{self.base}/Practitioner/{marked('user')}",
        }

    def id_token(self, claims: Json) -> str:
        """An id token, which is a canary as a whole."""
        made = super().id_token(claims)
        self.canaries.keep("id token", made)
        return made

    def _fhir(self, path: str, headers: Any) -> Answer:
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return 401, {"WWW-Authenticate": f'Bearer error="{self.canaries.of("challenge")}"'}, {}
        if self.spoilt:
            issue = {"severity": "error", "code": "exception", "diagnostics": self.canaries.of("diagnostics")}
            return 500, {"X-Request-Id": self.canaries.of("requestid")}, {"resourceType": "OperationOutcome", "issue": [issue]}
        found = [one for one in resources(self.chart) if one["resourceType"] == path.partition("/")[0]]
        return 200, {}, found[0] if path.startswith("Patient/") else searchset(found)

    def clients_toml(self) -> str:
        """How it is registered."""
        key = ", ".join(f'{name} = "{value}"' for name, value in jwk(self.signer.ec, kid="ec", alg="ES384", use="sig").items())
        return (
            f'[[client]]\nname = "hospital"\nissuer = "{self.signer.issuer}"\njwks = {{keys = [{{{key}}}]}}\n'
            f'fhir_servers = ["{self.base}"]\n[client.smart]\nclient_id = "myositis-app"\n'
        )

    def token(self, url: str) -> str:
        """A token for one call of ours; it is a canary as a whole, and its signature by itself."""
        claims = {"jti": f"{self.canaries.of('jti')}{time.monotonic_ns()}", "sub": self.canaries.of("subject")}
        made = self.signer.forged({"jku": None}, claims, audience=url)
        for kind, part in (("token", made), ("signature", made.rpartition(".")[2])):
            self.canaries.keep(kind, part)
        return made

    def trust_keys_of(self, service: str) -> None:
        """Where our own keys are."""
        self.our_keys = lambda: requests.get(f"{service}/.well-known/jwks.json", timeout=10).json()
