"""Trust as EHRs and attackers meet it: JWK Sets from a web server, tokens over HTTP, services as processes."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import orjson
import pytest

from tests.end_to_end.all_at_once import PROCESSES
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND, end, wait_for_line
from tests.server.answers import check_answer
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.logged import lines_of_process
from tests.server.trust.ehrs import PATIENT_VIEW, PUBLIC_URL, Ehr, bearer, jwk, part
from tests.server.trust.jwks_server import JwksServer, jwks_server
from tests.server.trust.token_makers import OTHER, Make
from tests.server.trust.wrong_tokens import CLINIC, HOSPITAL, WRONG, published_by
from tests.sizes import size

ROOT = Path(__file__).parents[2]
PATH = PATIENT_VIEW.removeprefix(PUBLIC_URL)
CALL = orjson.dumps(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
TOKENS = size(25, part=6)
"""So many are raced for on each database."""


@dataclass
class Trusting:
    """A running service with registered clients."""

    port: int
    log: Path

    def send(self, *headers: tuple[str, str], body: bytes = CALL, path: str = PATH) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer."""
        with closing(CheckedConnection(self.port)) as connection:
            connection.putrequest("POST", path)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
                connection.putheader(name, value)
            connection.endheaders(body)
            return connection.answer()

    def last_reason(self) -> str:
        """Why the last call was refused, as the log has it."""
        lines = [line for line in lines_of_process(self.log.read_text()) if "event=refused" in line]
        return lines[-1].partition("reason=")[2].split()[0]


@contextmanager
def trusting(folder: Path, number: int, ehrs: Mapping[str, Ehr], **settings: str) -> Iterator[Trusting]:
    """A service that trusts the EHRs of the table of wrong tokens."""
    clients, log = folder / "clients.toml", folder / f"{number}.log"
    tenants = {HOSPITAL: "[]", CLINIC: '["north", "south"]'}
    clients.write_text(
        "".join(
            f'[[client]]\nname = "{name}"\nissuer = "{ehr.issuer}"\njwks_url = "{ehr.jwks_url}"\ntenants = {tenants[name]}\n'
            for name, ehr in ehrs.items()
        )
    )
    state = folder / f"state-{number}"
    environment = {
        "PATH": "/usr/bin:/bin",
        "MYOSITIS_CDS_CLIENTS": str(clients),
        "MYOSITIS_CDS_PUBLIC_URL": PUBLIC_URL,
        "XDG_STATE_HOME": str(state),
    } | settings
    command = [COMMAND, "serve", "--port", "0"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            line = wait_for_line(process, "myositis-cds serves")
            yield Trusting(int(line.rpartition(":")[2].partition("/")[0]), log)
        finally:
            end(process)


@pytest.fixture(scope="module")
def web() -> Iterator[JwksServer]:
    with jwks_server() as server:
        yield server


@pytest.fixture(scope="module")
def ehrs(web: JwksServer) -> Mapping[str, Ehr]:
    """Two EHRs that publish their keys; beside them an attacker's set, and a redirect."""
    found = {name: Ehr(name, f"{web.url}/{name}.json") for name in (HOSPITAL, CLINIC)}
    for name, ehr in found.items():
        web.publish(f"/{name}.json", published_by(ehr))
        web.publish(f"/{name}.json.foreign", {"keys": [jwk(OTHER, kid="foreign")]})
        web.publish(f"/{name}.json.redirect", b"", 302, Location=ehr.jwks_url)
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, ehrs: Mapping[str, Ehr]) -> Iterator[Trusting]:
    with trusting(tmp_path_factory.mktemp("trust"), 1, ehrs) as running:
        yield running


@pytest.mark.requirement("J-10", "J-12", "J-15", "J-19")
@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_registered_ehr_is_answered_with_cards(algorithm: str, service: Trusting, ehrs: Mapping[str, Ehr]) -> None:
    status, headers, body = service.send(*bearer(ehrs[HOSPITAL].token(algorithm=algorithm)).items())
    check_answer(status, headers, body)
    assert status == 200
    assert {"lungFunction", "tumourScreening"} <= {card["source"]["topic"]["code"] for card in orjson.loads(body)["cards"]}


@pytest.mark.requirement(
    "J-4", "J-10", "J-11", "J-12", "J-13", "J-14", "J-15", "J-16", "J-20", "J-21", "J-22", "JWT-01", "JWT-02", "JWT-03", "JWT-04",
    "JWT-05", "JWT-08", "JWT-09", "JWT-10", "JWT-11", "JWT-12", "JWT-13", "JWT-17", "JWT-18",
)  # fmt: skip
@pytest.mark.parametrize(("ehr", "reason", "make"), WRONG)
def test_every_wrong_token_is_refused_with_the_same_words(
    ehr: str, reason: str, make: Make, service: Trusting, ehrs: Mapping[str, Ehr], web: JwksServer
) -> None:
    _, _, expected = service.send()
    made = make(ehrs[ehr], PATIENT_VIEW)
    status, headers, body = service.send(*(bearer(made).items() if isinstance(made, str) else made))
    check_answer(status, headers, body)
    assert (status, headers["WWW-Authenticate"], body) == (401, "Bearer", expected)
    assert service.last_reason() == reason
    assert {path for path in web.asked if not path.endswith(".json")} == set()


FEEDBACK = orjson.dumps(
    {"feedback": [{"card": "1", "outcome": "accepted", "acceptedSuggestions": [], "outcomeTimestamp": "2026-11-22T10:00:00Z"}]}
)


@pytest.mark.requirement("F-11", "J-13")
@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (PATIENT_VIEW, 200),
        (f"{PATIENT_VIEW}/feedback", 200),
        (f"{PUBLIC_URL}/cds-services/myositis-order-sign/feedback", 401),
        (f"{PUBLIC_URL}/cds-services", 401),
    ],
)
def test_feedback_takes_a_token_for_its_service_or_for_itself(
    audience: str, expected: int, service: Trusting, ehrs: Mapping[str, Ehr]
) -> None:
    headers = bearer(ehrs[HOSPITAL].token(audience)).items()
    status, answered, body = service.send(*headers, body=FEEDBACK, path=f"{PATH}/feedback")
    check_answer(status, answered, body)
    assert status == expected


@pytest.mark.requirement("J-16", "J-17", "JWT-14")
def test_a_token_is_accepted_once(service: Trusting, ehrs: Mapping[str, Ehr]) -> None:
    headers = bearer(ehrs[HOSPITAL].token()).items()
    assert [service.send(*headers)[0] for _ in range(3)] == [200, 401, 401]
    assert service.last_reason() == "replayed"


@pytest.mark.requirement("J-21", "JWT-05", "JWT-07")
def test_a_thousand_unknown_keys_cause_at_most_one_fetch(service: Trusting, ehrs: Mapping[str, Ehr], web: JwksServer) -> None:
    before, start = len(web.asked), perf_counter()
    ehr = ehrs[HOSPITAL]
    rest = ehr.token().partition(".")[2]
    for number in range(1000):
        forged = f"{part(ehr.header(kid=f'unknown-{number}'))}.{rest}"
        assert service.send(*bearer(forged).items())[0] == 401
    assert len(web.asked) - before <= 1 + (perf_counter() - start) // 30


@pytest.mark.slow
@pytest.mark.requirement("J-16", "J-17", "JWT-14")
def test_of_eight_processes_that_race_on_a_token_over_http_exactly_one_is_let_in(
    database_url: str, ehrs: Mapping[str, Ehr], tmp_path: Path
) -> None:
    tokens = [ehrs[HOSPITAL].token() for _ in range(TOKENS)]
    with ExitStack() as running:
        ports = [
            running.enter_context(trusting(tmp_path, number, ehrs, MYOSITIS_CDS_DATABASE_URL=database_url)).port
            for number in range(2)
        ]
        racing = subprocess.run(
            [sys.executable, "-m", "tests.end_to_end.all_at_once", *map(str, ports)],
            input="\n".join([PATH, CALL.decode(), *tokens]), capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
        )  # fmt: skip
    assert (racing.returncode, racing.stderr) == (0, "")
    answers = Counter(racing.stdout.splitlines())
    assert answers == {
        f"{number} {status}": times for number in range(TOKENS) for status, times in ((200, 1), (401, PROCESSES - 1))
    }
