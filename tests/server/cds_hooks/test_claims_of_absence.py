"""What cards say is not there, on every chart: said where it is confirmed, and never where it is not known (SAF-08)."""

from functools import cache

import pytest

from cards.show import Show
from server.cds_hooks.prefetch import TEMPLATES, read_prefetch
from server.evaluation import evaluate
from tests.server.absence import NEVER_CLAIMED, claims_of_absence, every_claim, orders_of
from tests.server.charts import AS_OF, INSTANCE, Json, slugs, whole

TYPES = {template.key: template.resource_type for template in TEMPLATES}
CLAIMED = [key for key in TYPES if key not in NEVER_CLAIMED]
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}

CLASSIC, JUVENILE = "classic-dermatomyositis", "juvenile-dermatomyositis-untreated"


@cache
def story(slug: str) -> Json:
    """A chart as an EHR sends it that answers every key."""
    return whole(slug)


def cards(slug: str, key: str, how: str) -> tuple[Json, ...]:
    """Every card for a chart of which one key is empty, failed, or cut.

    Conditions are not emptied, since without a diagnosis there are no cards; they are as they are, or cut.
    """
    is_as_told = how == "empty" and (key == "conditions" or story(slug)[key] is None)
    return cards_with(slug, None if is_as_told else key, how)


@cache
def cards_with(slug: str, key: str | None, how: str) -> tuple[Json, ...]:
    """As `cards`; without a key, the chart is as it is told."""
    sent = story(slug)
    if key == "conditions":
        sent = sent | {key: (sent[key] or {"resourceType": "Bundle"}) | {"link": [{"relation": "next", "url": "x"}]}}
    elif key:
        sent = sent | {key: None if how == "empty" else ERROR}
    found = read_prefetch(sent)
    evaluation = evaluate(found.parts, as_of=AS_OF, seed=INSTANCE, patient_id=slug, inputs=found.inputs, show=Show(cap=20))
    return tuple(evaluation.cards)


def with_unknown_words(key: str, how: str) -> set[str]:
    """What is claimed in words that the table of `tests.server.absence` does not know."""
    said = [claim for slug in slugs() for claim in every_claim(cards(slug, key, how))]
    assert len(said) > 100
    return {claim.words for claim in said if claim.kinds is None}


@pytest.mark.requirement("R-12", "SAF-08")
@pytest.mark.parametrize("key", CLAIMED)
def test_what_is_confirmed_not_to_be_there_is_said_to_be_so(key: str) -> None:
    """Without this the next test could not fail."""
    assert with_unknown_words(key, "empty") == set()
    assert [slug for slug in slugs() if claims_of_absence(cards(slug, key, "empty"), [TYPES[key]])]


@pytest.mark.requirement("R-12", "R-15", "SAF-08")
@pytest.mark.parametrize("key", TYPES)
def test_what_is_not_known_is_never_said_not_to_be_there(key: str) -> None:
    said = {slug: claims_of_absence(cards(slug, key, "unknown"), [TYPES[key]]) for slug in slugs()}
    assert {slug: words for slug, words in said.items() if words} == {}
    assert with_unknown_words(key, "unknown") == set()


@pytest.mark.parametrize("key", NEVER_CLAIMED)
def test_of_some_keys_nothing_is_claimed_even_where_they_are_empty(key: str) -> None:
    assert [slug for slug in slugs() if claims_of_absence(cards(slug, key, "empty"), [TYPES[key]])] == []
    assert with_unknown_words(key, "empty") == set()


def test_the_words_of_every_claim_about_a_chart_as_it_is_told_are_known() -> None:
    assert with_unknown_words("conditions", "empty") == set()


@pytest.mark.requirement("SAF-08")
@pytest.mark.parametrize(
    ("key", "slug", "withheld"),
    [
        pytest.param("medicationRequests", CLASSIC, {"azathioprine", "prednisone, oral"}, id="she may take them already"),
        pytest.param("medicationStatements", CLASSIC, {"azathioprine", "prednisone, oral"}, id="she may say that she takes them"),
        pytest.param("observations", CLASSIC, {"pulmonary function test", "pregnancy test"}, id="the results may be there"),
        pytest.param("diagnosticReports", CLASSIC, {"CT of the thorax", "mammography"}, id="the reports may be there"),
        pytest.param("procedures", CLASSIC, {"CT of the thorax", "electrocardiogram"}, id="they may have been done"),
        pytest.param("serviceRequests", CLASSIC, {"CT of the thorax", "referral to physiotherapy"}, id="may be ordered already"),
        pytest.param("serviceRequests", JUVENILE, {"referral to a specialised centre"}, id="may be referred already"),
    ],
)
def test_what_may_be_there_already_is_not_offered(key: str, slug: str, withheld: set[str]) -> None:
    assert withheld <= orders_of(cards(slug, key, "empty"))
    assert withheld.isdisjoint(orders_of(cards(slug, key, "unknown")))
