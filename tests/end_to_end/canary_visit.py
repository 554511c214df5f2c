"""What a service goes through with an EHR that is full of canaries, and who listens to all that it says."""

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import requests

from tests.canary import Canaries
from tests.end_to_end.canary_ehr import CanaryEhr
from tests.end_to_end.canary_fault.sitecustomize import FAULT
from tests.server.charts import Json, hook_call, prefetch_of

HOOKS = ("patient-view", "order-select", "order-sign")


@dataclass
class Witness:
    """Everything that came out of the service.

    Args:
        folder: in which it ran, with its state, its temporary files and its output.
        ehr: that it worked with.
        words: the canaries of comments, which are kept in one place.
        sinks: what it said, by where.
        cards: its answers to calls that are allowed to name the patient of the call.
    """

    folder: Path
    ehr: CanaryEhr
    url: str
    words: Canaries = field(default_factory=Canaries)
    sinks: dict[str, list[str]] = field(default_factory=dict)
    cards: list[Json] = field(default_factory=list)

    @property
    def canaries(self) -> Canaries:
        """Those of the EHR."""
        return self.ehr.canaries

    def heard(self, where: str, answer: requests.Response) -> requests.Response:
        """Keep an answer, with its headers."""
        self.sinks.setdefault(where, []).append(f"{answer.headers}\n{answer.text}")
        return answer

    def send(self, path: str, body: Any, status: int, **more: Any) -> requests.Response:
        """Call a service as the EHR does; what is refused is a sink."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.ehr.token(self.url + path)}", **more}
        answer = requests.post(f"{self.url}{path}", content, headers=headers, params=more.pop("query", None), timeout=20)
        assert answer.status_code == status, answer.text
        return answer if status == 200 else self.heard("refusals", answer)

    def call(self, hook: str, **changes: Any) -> Json:
        """A hook call full of canaries, with a prefetch that leaves some to fetch."""
        marked = self.canaries.of
        prefetch = prefetch_of(self.ehr.chart, only=("Patient", "Condition"))
        context: Json = {
            "userId": f"Practitioner/{marked('user')}",
            "patientId": marked("patient"),
            "encounterId": marked("encounter"),
        }
        if hook != "patient-view":
            drug = {"text": f"methotrexate {marked('drug')}"}
            order = {"resourceType": "MedicationRequest", "id": marked("order"), "status": "draft", "intent": "order"}
            order |= {"medicationCodeableConcept": drug, "subject": {"reference": f"Patient/{marked('patient')}"}}
            context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
            context["selections"] = [f"MedicationRequest/{marked('order')}"]
        grant = {
            "access_token": marked("hookaccess"),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "x",
            "subject": marked("subject"),
        }
        more = {"fhirServer": self.ehr.base, "fhirAuthorization": grant, "extension": {"x": marked("extension")}}
        return hook_call(marked("patient"), prefetch, hook=hook, context=context, **more) | changes


# --- what happens


def work(one: Witness) -> None:
    """Every hook with a callback, feedback with comments, and `/assess`."""
    for number, hook in enumerate(HOOKS):
        path = f"/cds-services/myositis-{hook}"
        cards = one.send(path, one.call(hook, hookInstance=f"0fa01700-0000-4000-8000-00000000000{number + 1}"), 200).json()[
            "cards"
        ]
        one.cards += cards
        said = [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"} for card in cards]
        for item in said:
            reason = {"code": "patient-refused", "system": "https://ehr.example/reasons", "display": one.canaries.of("reason")}
            item["overrideReason"] = {"reason": reason, "userComment": f"{one.words.of('comment')} ä"}
        if said:
            one.heard("feedback", one.send(f"{path}/feedback", {"feedback": said}, 200))
    assert one.cards
    one.send("/assess", one.ehr.chart, 200)


def refused(one: Witness) -> None:
    """Whatever is wrong with a call, and every fault of ours."""
    path, call, marked = "/cds-services/myositis-patient-view", one.call("patient-view"), one.canaries.of
    whole = orjson.dumps(call)
    one.send(path, whole[:-9], 400)
    one.send(path, whole.replace(b'"hook":', b'"hook":"%b","hook":' % marked("twice").encode(), 1), 400)
    one.send(path, call | {"hook": marked("hook")}, 400)
    one.send(path, call | {"context": {marked("member"): marked("value")}}, 400)
    one.send(path, whole, 415, **{"Content-Type": f"text/{marked('type')}"})
    one.send(path, whole, 415, **{"Content-Encoding": marked("encoding")})
    foreign = orjson.loads(whole.replace(b"Patient/" + marked("patient").encode(), b"Patient/" + marked("another").encode()))
    one.send(path, foreign, 412)
    one.send(path, call, 401, Authorization=f"Bearer {one.ehr.token(one.url)}")
    one.send(path, call, 401, Authorization=f"Basic {marked('basic')}")
    one.send(f"/cds-services/{marked('service')}", call, 404)
    one.send(
        f"/{marked('path')}?name={marked('query')}",
        call,
        404,
        Cookie=f"a={marked('cookie')}",
        Referer=f"http://x/{marked('referer')}",
    )
    one.send(f"/assess?patient={marked('nobody')}", one.ehr.chart, 401)
    one.send(path, call | {"hookInstance": FAULT}, 500, traceparent=f"00-{marked('trace')}-01", baggage=f"a={marked('baggage')}")
    one.send(f"{path}/feedback", {"feedback": [{"card": marked("card"), "outcome": marked("outcome")}]}, 400)
    one.send(path, b'"%b"' % (marked("long").encode() * 100_000), 413)
    with socket.create_connection(("127.0.0.1", urlsplit(one.url).port or 0), timeout=10) as connection:
        connection.sendall(f"BAD {marked('line')}\r\n{marked('header')}\r\n\r\n".encode())
        one.sinks["refusals"].append(connection.recv(65536).decode())


def in_trouble(one: Witness) -> None:
    """An EHR that answers with errors, which are full of canaries too."""
    one.ehr.spoilt = True
    path = "/cds-services/myositis-patient-view"
    one.cards += one.send(path, one.call("patient-view"), 200).json()["cards"]
    one.ehr.valid.discard(one.canaries.of("hookaccess"))
    one.cards += one.send(path, one.call("patient-view"), 200).json()["cards"]
    one.ehr.spoilt = False
    one.ehr.errors = {"error": "access_denied", "error_description": one.canaries.of("description")}
    launched(one)
    one.ehr.errors = {}


def launched(one: Witness) -> None:
    """The app, from the launch over its page and a question to leaving; every address on the way is a sink."""
    with requests.Session() as browser:
        browser.trust_env = False
        query = {"iss": one.ehr.base, "launch": one.canaries.of("launch")}
        page = browser.get(f"{one.url}/smart/launch", params=query, timeout=20)
        for step in page.history[:-1]:
            for name, (value, *_) in parse_qs(urlsplit(step.headers["Location"]).query).items():
                if name in ("state", "nonce", "code", "code_challenge"):
                    one.canaries.keep(name, value)
        for cookie in browser.cookies:
            one.canaries.keep("browser's cookie", cookie.value or "")
        if page.status_code != 200:
            return
        one.sinks.setdefault("addresses of pages", []).append(page.url)
        one.sinks.setdefault("pages", []).append(page.text)
        assert one.canaries.of("name") in page.text
        asked = browser.get(page.url, params={"suppose": one.canaries.of("supposed")}, timeout=20)
        summary = browser.get(f"{page.url}/summary", timeout=20)
        assert {asked.status_code, summary.status_code} <= {200, 400}
        one.sinks["pages"] += [asked.text, summary.text]
        one.heard("open launches", browser.get(f"{one.url}/smart/patient", timeout=20))
        (token,) = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page.text)
        one.heard("left", browser.post(f"{page.url}/logout", {"form_token": token}, headers={"Origin": one.url}, timeout=20))
