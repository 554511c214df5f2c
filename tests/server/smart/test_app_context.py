"""A launch from a card: the card's uuid comes back, and is believed only where we remember showing that card of that patient."""

import logging
import time

import pytest
from sqlalchemy import update

from server.feedback.patients import pseudonyms_in_app
from server.smart.app_context import focus_of
from server.store.engines import connect
from server.store.pseudonyms import Pseudonyms
from server.store.tables import cards_shown
from server.trust.clients import Client
from tests.server.logged import lines, text
from tests.server.smart.conftest import Service
from tests.server.smart.ehr import Ehr
from tests.server.smart.test_launch import view
from tests.server.smart.test_reading import opened as opened
from tests.server.smart.test_reading import see

IGNORED = "event=app_context_ignored reason="


def shown(service: Service, ehr: Ehr, **more: object) -> dict[str, object]:
    """The first card that the EHR was shown."""
    card: dict[str, object] = view(service, ehr, **more)[0]
    return card


@pytest.mark.requirement("CARD-06")
@pytest.mark.parametrize("more", [{}, {"fhirServer": None}], ids=["server named", "server not named"])
def test_the_page_knows_which_card_it_was_opened_from(
    service: Service, ehr: Ehr, opened: list[object], more: dict[str, object]
) -> None:
    card = shown(service, ehr, **{name: value for name, value in more.items() if value is not None})
    ehr.response = {"appContext": card["uuid"]}
    focus = see(service.browser(), ehr, opened).focus  # type: ignore[arg-type]
    explanation = card["extension"]["org.myositis-cds.explanation"]  # type: ignore[index]
    assert focus == tuple(explanation["recommendations"])


def test_without_it_the_page_is_the_same_but_for_that(
    service: Service, ehr: Ehr, opened: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert see(service.browser(), ehr, opened).focus == ()  # type: ignore[arg-type]
    assert IGNORED not in text(caplog)


@pytest.mark.requirement("CARD-06")
def test_the_context_of_another_patients_card_is_ignored_and_told(
    service: Service, ehr: Ehr, opened: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    card = shown(service, ehr)
    ehr.patient = "healthy"
    ehr.response = {"appContext": card["uuid"]}
    with caplog.at_level(logging.WARNING):
        one = see(service.browser(), ehr, opened)  # type: ignore[arg-type]
    assert (one.focus, one.evaluation.record.patient_id) == ((), "healthy")
    assert f"{IGNORED}another-patient client=hospital-1" in text(caplog)
    assert str(card["uuid"]) not in caplog.text


@pytest.mark.requirement("CARD-06")
def test_the_context_of_an_old_card_is_ignored_and_told(
    service: Service, ehr: Ehr, opened: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    ehr.response = {"appContext": shown(service, ehr)["uuid"]}
    with service.runtime.database.begin() as connection:
        connection.execute(update(cards_shown).values(shown_at=int(time.time()) - 24 * 3600 - 60))
    with caplog.at_level(logging.WARNING):
        assert see(service.browser(), ehr, opened).focus == ()  # type: ignore[arg-type]
    assert f"{IGNORED}old" in text(caplog)


@pytest.mark.requirement("CARD-06")
@pytest.mark.parametrize("context", ["630e9eec-77aa-46f7-9862-5629cd7b6a9b", "no uuid of ours", "' OR 1=1 --", "../../x"])
def test_a_context_that_we_did_not_send_is_ignored_and_told(
    service: Service, ehr: Ehr, opened: list[object], caplog: pytest.LogCaptureFixture, context: str
) -> None:
    shown(service, ehr)
    ehr.response = {"appContext": context}
    with caplog.at_level(logging.WARNING):
        assert see(service.browser(), ehr, opened).focus == ()  # type: ignore[arg-type]
    assert f"{IGNORED}unknown-card" in text(caplog)
    assert context not in caplog.text


@pytest.mark.parametrize(
    ("tenants", "of_call", "of_launch", "is_same"),
    [
        ((), None, None, True),
        (("a", "b"), "a", None, True),
        (("a", "b"), "a", "a", True),
        (("a", "b"), None, "a", True),
        (("a", "b"), "b", "a", False),
        ((), "unregistered", None, False),
        ((), "said by both", "said by both", True),
    ],
)
def test_calls_with_and_without_a_tenant_are_of_the_same_patient_unless_the_launch_says_otherwise(
    tenants: tuple[str, ...], of_call: str | None, of_launch: str | None, is_same: bool
) -> None:
    pseudonyms, server = Pseudonyms(b"k" * 32), "https://ehr.example/fhir"
    client = Client("hospital", tenants=tenants, fhir_servers=(server,))
    called = pseudonyms.of("\n".join(("hospital", of_call or "", server)), "p1")
    assert (called in pseudonyms_in_app(client, of_launch, server, "p1", pseudonyms)) is is_same
    assert called not in pseudonyms_in_app(client, of_launch, server, "p2", pseudonyms)


def test_a_call_that_names_no_server_is_of_the_only_one_there_is() -> None:
    pseudonyms, server, other = Pseudonyms(b"k" * 32), "https://ehr.example/fhir", "https://other.example/fhir"
    called = pseudonyms.of("hospital\n\n", "p1")
    assert called in pseudonyms_in_app(Client("hospital", fhir_servers=(server,)), None, server, "p1", pseudonyms)
    assert called not in pseudonyms_in_app(Client("hospital", fhir_servers=(server, other)), None, server, "p1", pseudonyms)


def test_when_the_database_cannot_say_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    empty = connect("sqlite://")
    assert focus_of("630e9eec-77aa-46f7-9862-5629cd7b6a9b", Client("hospital"), frozenset(), empty) == ()
    assert lines(caplog) == ["event=store_trouble doing=find_card error=OperationalError"]
    empty.dispose()
