"""What is done once, before the first request: prove what is suggested and published, and evaluate one made-up patient.

So a wrong file stops the start, and the first caller waits no longer than the others.
"""

from datetime import date
from pathlib import Path

import orjson

from cards.orders import prove_templates
from server.basis import Basis, packaged_basis
from server.evaluation import Drafts, evaluate
from server.publishing.fhir_endpoint import library

_PATIENT = Path(__file__).parent / "warm_up_patient.json"
_DAY = date(2020, 6, 1)


class SelfTestError(RuntimeError):
    """The service does not say what it must say about the made-up patient."""


def warm_up(basis: Basis | None = None) -> None:
    """Load everything and try it.

    Args:
        basis: terminology and knowledge; the packaged ones by default.

    Raises:
        RuleError, TerminologyError: knowledge or terminology cannot be used; an order template is not valid FHIR.
        SelfTestError: no card for a made-up patient with dermatomyositis.
    """
    basis = basis or packaged_basis()
    prove(basis)
    try_out(basis)


def prove(basis: Basis) -> None:
    """See that orders and publication can be made of the knowledge. What this loads, no call needs (`serving.aside`).

    Args:
        basis: terminology and knowledge.

    Raises:
        RuleError: an order template is not valid FHIR.
    """
    prove_templates(basis.knowledge)
    library(basis)


def try_out(basis: Basis) -> None:
    """Evaluate the made-up patient, and so load what a call needs.

    Args:
        basis: terminology and knowledge.

    Raises:
        SelfTestError: no card for a made-up patient with dermatomyositis.
    """
    parts = orjson.loads(_PATIENT.read_bytes())
    if not evaluate(parts, as_of=_DAY, seed="warm-up", basis=basis).cards:
        raise SelfTestError("no card for the made-up patient with dermatomyositis")
    evaluate(parts, as_of=_DAY, seed="warm-up", drafts=Drafts({"resourceType": "Bundle"}), basis=basis)
