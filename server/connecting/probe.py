"""Made-up patients through a running service: does it still say what this knowledge says about them (threat SAF-20)?

The answer is held against an evaluation here, so that the probe needs the settings, the site folder and the software of the
service. Each probe is of a patient that nobody has seen: nothing that was silenced or shown before changes the answer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from cards.show import Show
from cards.to_cards import EXPLANATION
from server.basis import Basis, load_basis
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import read_prefetch
from server.cds_hooks.services import SERVICES, Service
from server.config import Config, ConfigurationError
from server.connecting.examples import request_of
from server.connecting.findings import Finding, failed, ok
from server.outbound.http import OutboundError, exchange
from server.trust.clients import OPEN_CLIENT, Client
from server.trust.clients_file import load_clients

_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024
_OK = 200


def probe_service(url: str, config: Config, name: str | None = None, token_file: Path | None = None) -> Iterator[Finding]:
    """Ask every service about a made-up patient.

    Args:
        url: of the running service.
        config: its settings.
        name: of the registered client to be taken for; None for nobody in particular.
        token_file: for a service that needs tokens: a line for each service, in the order of discovery, or one for all.

    Raises:
        ConfigurationError: a setting, a file or the name cannot be used.
    """
    registered = load_clients(config.clients, config.site) if config.clients else ()
    client = next((one for one in registered if one.name == name), OPEN_CLIENT)
    if name and client is OPEN_CLIENT:
        raise ConfigurationError("--client: no client of that name is registered")
    tokens = _tokens_in(token_file) if token_file else (None,)
    basis = load_basis(config.site, config.terminology)
    for number, service in enumerate(SERVICES.values()):
        yield _probe(service, url.rstrip("/"), client, config, basis, tokens[min(number, len(tokens) - 1)])


def _tokens_in(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text("ascii").split()) or ("",)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"--token: the file cannot be read ({type(error).__name__})") from error


def _probe(service: Service, url: str, client: Client, config: Config, basis: Basis, token: str | None) -> Finding:
    what, request = f"probe of {service.id}", _of_somebody_new(service, client)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = exchange(
            "POST",
            f"{url}/cds-services/{service.id}",
            json.dumps(request).encode(),
            headers=headers,
            seconds=_SECONDS,
            most_bytes=_MOST_BYTES,
            ca_file=client.ca_file,
        )
    except OutboundError as error:
        return failed(f"{what}: no answer ({error.reason})", "see MyositisCdsDown in docs/runbook.md", "SAF-20")
    if answer.status != _OK:
        return failed(f"{what}: status {answer.status}", "the log of the service says why", "SAF-20")
    if _first_of(json.loads(answer.body)["cards"]) != _expected(service, request, client, config, basis):
        return failed(
            f"{what}: it does not say what this knowledge says about the made-up patient",
            "compare /health/ready with `myositis-cds doctor` here: another version, site folder or settings of the client; "
            "if they are the same, see MyositisCdsRuleMoved in docs/runbook.md",
            "SAF-20",
        )
    return ok(f"{what}: it says what it must", "SAF-20")


def _of_somebody_new(service: Service, client: Client) -> dict[str, Any]:
    request = request_of(service, client)
    known = request["context"]["patientId"]
    text = json.dumps(request).replace(f'"{known}"', f'"probe-{uuid4()}"')
    patient = json.loads(text)["context"]["patientId"]
    moved: dict[str, Any] = json.loads(text.replace(f"Patient/{known}", f"Patient/{patient}"))
    return moved | {"hookInstance": str(uuid4())}


def _expected(service: Service, request: dict[str, Any], client: Client, config: Config, basis: Basis) -> Any:
    call = read_hook_call(request, service)
    show = Show(cap=client.card_cap or config.card_cap, topics_off=client.topics_off)
    evaluation = evaluate_call(call, read_prefetch(call.prefetch), client, show, as_of=config.today(), basis=basis)
    return _first_of(list(evaluation.cards))


def _first_of(cards: list[dict[str, Any]]) -> Any:
    """What the most important card rests on; the others may be withheld for a reason."""
    explanation = cards[0]["extension"][EXPLANATION] if cards else {}
    return explanation.get("recommendations"), explanation.get("knowledgeVersion")
