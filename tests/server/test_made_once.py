"""What is made when it is first asked for is made once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from server.basis import Basis, packaged_basis
from server.made_once import made_once
from server.publishing import fhir_endpoint

ASKING = 8


def test_many_who_ask_at_once_get_the_same() -> None:
    begin, made = Barrier(ASKING), []

    @made_once
    def slow(of: str) -> list[str]:
        Event().wait(0.05)  # where the others would come in
        made.append(of)
        return [of]

    def ask() -> list[str]:
        begin.wait(10)
        return slow("a")

    with ThreadPoolExecutor(ASKING) as pool:
        answers = [one.result(10) for one in [pool.submit(ask) for _ in range(ASKING)]]
    assert made == ["a"]
    assert all(one is answers[0] for one in answers)
    assert slow("b") == ["b"]


def test_what_could_not_be_made_is_tried_again() -> None:
    tried = []

    @made_once
    def make(of: str) -> str:
        tried.append(of)
        if len(tried) == 1:
            raise ValueError("not yet")
        return of

    with pytest.raises(ValueError, match="not yet"):
        make("a")
    assert (make("a"), make("a"), tried) == ("a", "a", ["a", "a"])


def test_what_is_published_as_fhir_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    as_fhir = fhir_endpoint.as_fhir

    def counted(*arguments: object) -> object:
        made.append(arguments)
        return as_fhir(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fhir_endpoint, "as_fhir", counted)
    packaged = packaged_basis()
    basis = Basis(packaged.terminology, packaged.knowledge)  # which nobody has asked about
    with ThreadPoolExecutor(ASKING) as pool:
        libraries = [one.result(60) for one in [pool.submit(fhir_endpoint.library, basis) for _ in range(ASKING)]]
    assert len(made) == 1
    assert all(one is libraries[0] for one in libraries)
    assert libraries[0]["PlanDefinition"]
