"""A CDS Hooks service made with HealthChain, as its documentation shows it (`docs/reference/gateway/cdshooks.md`, cookbook
`sepsis_cds_hooks.py`), with one of three handlers. It runs in the environment of the peers, under uvicorn as `app.run()` does.
"""

# Not checked with the project's own environment, which has none of this.
import socket
from collections.abc import Callable
from typing import Any

import click
import uvicorn
from healthchain.fhir import convert_prefetch_to_fhir_objects
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse
from healthchain.models.responses.cdsresponse import Card

from benchmarks.bodies import AS_OF

SERVICE = "myositis"

Handler = Callable[[CDSRequest], CDSResponse]


def minimal(request: CDSRequest) -> CDSResponse:
    """One card with fixed words: what HealthChain itself costs."""
    return CDSResponse(cards=[Card(summary="Opened", indicator="info", source={"label": "benchmark"}, detail="-")])


def engine() -> Handler:
    """Our engine on the JSON that HealthChain hands on."""
    from server.basis import packaged_basis
    from server.cds_hooks.prefetch import read_prefetch
    from server.evaluation import evaluate

    packaged_basis()  # loaded before the first call, as the service does

    def handler(request: CDSRequest) -> CDSResponse:
        sent = read_prefetch(request.prefetch)
        evaluation = evaluate(
            sent.parts,
            as_of=AS_OF,
            seed=request.hookInstance,
            patient_id=request.context.patientId,
            inputs=sent.inputs,
            servers=(str(request.fhirServer),),
            issues=sent.issues,
        )
        return CDSResponse(cards=[_card(one) for one in evaluation.cards])

    return handler


def fhir_engine() -> Handler:
    """The same, after HealthChain has made its FHIR objects of the prefetch, as its `CdsFhirAdapter` does."""
    with_engine = engine()

    def handler(request: CDSRequest) -> CDSResponse:
        convert_prefetch_to_fhir_objects(request.prefetch)
        return with_engine(request)

    return handler


def _card(card: dict[str, Any]) -> Card:
    """A card of ours in its model, which wants members said that CDS Hooks does not, and drops our extension."""
    links = [{"autoLaunchable": None} | link for link in card.get("links", [])]
    suggestions = [{"isRecommended": None} | suggestion for suggestion in card.get("suggestions", [])]
    return Card(**card | {"links": links or None, "suggestions": suggestions or None})


_HANDLERS: dict[str, Callable[[], Handler]] = {
    "minimal": lambda: minimal,
    "engine": engine,
    "FHIR objects and engine": fhir_engine,
}


@click.command()
@click.option("--handler", type=click.Choice(list(_HANDLERS)), required=True)
def main(handler: str) -> None:
    """Serve it on a free port of this machine until told to end."""
    service = CDSHooksService()
    service.hook("patient-view", id=SERVICE)(_HANDLERS[handler]())
    app = HealthChainAPI()
    app.register_service(service, path="/cds")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        click.echo(f"HealthChain serves on http://127.0.0.1:{listening.getsockname()[1]}/")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
