"""Opened patients: the stories of the sandbox, and charts in clinical words."""

from functools import cache
from typing import Any

from cards.show import Show
from server.basis import packaged_basis
from server.evaluation import evaluate
from server.patient_page.opened import Banner, Opened
from server.patient_page.page import render
from tests.patient import Patient
from tests.server.charts import AS_OF, Json, chart

EVERY_CARD = Show(cap=99)
BANNER = Banner("Ines Demoford", "1991-02-17", "MRN 42", "female")


@cache
def opened(slug: str) -> Opened:
    """A story of the sandbox, opened."""
    return opened_chart(chart(slug))


@cache
def story_page(slug: str) -> str:
    """The page of a story, made once: it is the same for every test."""
    return render(opened(slug), {}, "en")


def opened_patient(patient: Patient) -> Opened:
    """A chart in clinical words, opened."""
    return opened_chart(patient.bundle(), inputs=patient.inputs())


def opened_chart(bundle: Json, **more: Any) -> Opened:
    """A Bundle, opened; what is given further goes into `Opened`."""
    inputs = more.pop("inputs", {})
    evaluation = evaluate([bundle], as_of=AS_OF, seed="page", show=EVERY_CARD, inputs=inputs)
    fields = {"banner": BANNER, "form_token": "token-1"} | more
    return Opened("launch-1", evaluation, (bundle,), inputs, (), AS_OF, packaged_basis(), **fields)
