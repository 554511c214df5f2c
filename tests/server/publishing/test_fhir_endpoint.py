"""`/fhir/…`: the knowledge, read-only, for any FHIR R4 client."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cards.show import Show
from fhir_profiles.systems import CANONICAL
from server.evaluation import evaluate
from tests.server.answers import check_outcome, diagnostics
from tests.server.charts import AS_OF, Json, chart, slugs

TYPES = ("PlanDefinition", "ActivityDefinition", "ValueSet", "CodeSystem")
COLONOSCOPY = "/fhir/PlanDefinition/titulaer-2011-dm-colonoscopy-over-50"


def refused(response: TestResponse, status: int) -> str:
    """What a refusal says."""
    assert response.status_code == status
    assert response.content_type == "application/fhir+json"
    assert response.headers["Cache-Control"] == "no-store"
    check_outcome(response.get_json(force=True))
    return diagnostics(response.get_json(force=True))


def bundle(client: FlaskClient, path: str) -> Json:
    """A searchset, proved valid."""
    response = client.get(path)
    assert response.status_code == 200, path
    assert response.content_type == "application/fhir+json"
    found: Json = response.get_json(force=True)
    Bundle.model_validate(found)
    assert found["type"] == "searchset"
    return found


def ids(found: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in found.get("entry", [])]


def links(found: Json) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in found["link"]}


# --- reading -------------------------------------------------------------------------------------------------------------------


def test_the_capability_statement_is_valid_and_names_what_there_is(client: FlaskClient) -> None:
    response = client.get("/fhir/metadata")
    assert response.content_type == "application/fhir+json"
    statement = response.get_json(force=True)
    CapabilityStatement.model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["kind"] == "instance"
    (rest,) = statement["rest"]
    assert [resource["type"] for resource in rest["resource"]] == list(TYPES)
    for resource in rest["resource"]:
        assert [i["code"] for i in resource["interaction"]] == ["read", "search-type"]
        assert client.get(f"/fhir/{resource['type']}").status_code == 200


def test_a_recommendation_can_be_read_and_kept(client: FlaskClient) -> None:
    response = client.get(COLONOSCOPY)
    assert response.status_code == 200
    assert response.content_type == "application/fhir+json"
    assert response.headers["Cache-Control"].startswith("public")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.get_json(force=True)["title"] == "Colonoscopy over the age of 50 in dermatomyositis"


def test_who_has_the_current_version_is_told_so(client: FlaskClient) -> None:
    etag = client.get(COLONOSCOPY).headers["ETag"]
    response = client.get(COLONOSCOPY, headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert response.get_data() == b""
    assert client.get(COLONOSCOPY, headers={"If-None-Match": '"another"'}).status_code == 200


def suggested(cards: tuple[Json, ...]) -> Iterator[Json]:
    for card in cards:
        for suggestion in card.get("suggestions", ()):
            for action in suggestion["actions"]:
                yield action["resource"]


@pytest.mark.parametrize("slug", slugs())
def test_every_canonical_of_a_suggested_order_resolves(client: FlaskClient, slug: str) -> None:
    cards = evaluate([chart(slug)], as_of=AS_OF, seed="canonicals", show=Show(cap=20)).cards
    for order in suggested(cards):
        for canonical in order["instantiatesCanonical"]:
            path = canonical.removeprefix(CANONICAL)
            assert client.get(f"/fhir{path}").status_code == 200, canonical


def test_a_topic_of_a_card_resolves(client: FlaskClient) -> None:
    (card, *_) = evaluate([chart("anti-tif1-gamma-dermatomyositis")], as_of=AS_OF, seed="topics").cards
    topic = card["source"]["topic"]
    system = client.get(f"/fhir{topic['system'].removeprefix(CANONICAL)}").get_json(force=True)
    assert {"code": topic["code"], "display": topic["display"]} in system["concept"]


def test_a_value_set_is_the_one_that_charts_are_read_with(client: FlaskClient) -> None:
    value_set = client.get("/fhir/ValueSet/colonoscopy").get_json(force=True)
    codes = {(part["system"], c["code"]) for part in value_set["compose"]["include"] for c in part.get("concept", ())}
    assert ("http://loinc.org", "18746-8") in codes


# --- searching -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_all_pages_together_are_everything_once(client: FlaskClient, kind: str) -> None:
    path, seen = f"/fhir/{kind}?_count=40", []
    while path:
        page = bundle(client, path)
        seen += ids(page)
        path = links(page).get("next", "")
    assert len(seen) == len(set(seen)) == page["total"]


def test_the_previous_page_leads_back(client: FlaskClient) -> None:
    second = bundle(client, "/fhir/ValueSet?_count=10&_offset=10")
    first = bundle(client, links(second)["previous"])
    assert links(first)["next"] == links(second)["self"]
    assert "previous" not in links(first)


def test_a_page_has_at_most_200_entries_and_a_count_of_0_has_none(client: FlaskClient) -> None:
    assert len(ids(bundle(client, "/fhir/ValueSet?_count=999"))) == 200
    empty = bundle(client, "/fhir/ValueSet?_count=0")
    assert "entry" not in empty
    assert empty["total"] > 400
    assert "next" not in links(empty)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_id=titulaer-2011-dm-mammography-women", ["titulaer-2011-dm-mammography-women"]),
        ("_id=no-such,titulaer-2011-dm-mammography-women", ["titulaer-2011-dm-mammography-women"]),
        (f"url={CANONICAL}/PlanDefinition/patwa-2012-ivig-dm", ["patwa-2012-ivig-dm"]),
        ("name=patwa2012ivigdm", ["patwa-2012-ivig-dm"]),
        ("name:exact=Patwa2012IvigDm", ["patwa-2012-ivig-dm"]),
        ("name:exact=patwa2012ivigdm", []),
        ("title=COLONOSCOPY OVER", ["titulaer-2011-dm-colonoscopy-over-50"]),
        ("title:contains=TESTES in men&status=active", ["titulaer-2011-dm-testes-ultrasound-men-under-50"]),
        ("title=no such title", []),
        ("_id=|patwa-2012-ivig-dm", ["patwa-2012-ivig-dm"]),
        ("_id=http://x.example|patwa-2012-ivig-dm", []),
        ("_id=patwa-2012-ivig-dm&status=http://hl7.org/fhir/publication-status|active", ["patwa-2012-ivig-dm"]),
        ("_id=patwa-2012-ivig-dm&status=http://hl7.org/fhir/publication-status|", ["patwa-2012-ivig-dm"]),
        ("_id=patwa-2012-ivig-dm&status=|active", ["patwa-2012-ivig-dm"]),
        ("_id=patwa-2012-ivig-dm&status=http://x.example|active", []),
        ("_id=patwa-2012-ivig-dm&status=http://x.example|", []),
        ("_id=patwa-2012-ivig-dm\\,titulaer-2011-dm-mammography-women", []),
    ],
)
def test_a_search_finds_what_it_names(client: FlaskClient, query: str, found: list[str]) -> None:
    assert ids(bundle(client, f"/fhir/PlanDefinition?{query}")) == found


def test_a_comma_after_a_backslash_belongs_to_the_value(client: FlaskClient) -> None:
    plans = bundle(client, "/fhir/PlanDefinition?_count=200")["entry"]
    title = next(entry["resource"]["title"] for entry in plans if "," in entry["resource"]["title"])
    found = bundle(client, f"/fhir/PlanDefinition?{urlencode({'title:exact': title.replace(',', chr(92) + ',')})}")
    assert {entry["resource"]["title"] for entry in found["entry"]} == {title}
    assert bundle(client, f"/fhir/PlanDefinition?{urlencode({'title:exact': title})}")["total"] == 0


def test_an_unknown_parameter_is_ignored_and_left_out_of_the_link(client: FlaskClient) -> None:
    found = bundle(client, "/fhir/CodeSystem?publisher=nobody")
    assert found["total"] == 3
    assert "publisher" not in links(found)["self"]


def test_an_unknown_parameter_is_refused_where_the_caller_is_strict(client: FlaskClient) -> None:
    response = client.get("/fhir/CodeSystem?publisher=nobody", headers={"Prefer": "handling=strict"})
    assert refused(response, 400).startswith("MYO-1303")
    assert "publisher" not in response.text


@pytest.mark.parametrize(
    "query", ["title:missing=true", "_id:exact=x", "url:below=x", "_count=-1", "_count=x", "_offset=1e3", "_count=", "_offset=٣"]
)
def test_what_would_change_the_result_and_is_not_understood_is_refused(client: FlaskClient, query: str) -> None:
    assert refused(client.get(f"/fhir/PlanDefinition?{query}"), 400).startswith("MYO-1303")


# --- refusing ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/fhir/Patient", "/fhir/Patient/1", "/fhir/PlanDefinition/no-such", "/fhir/ValueSet/..%2f..%2fx"]
)
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert refused(client.get(path), 404).startswith(("MYO-1304", "MYO-1404"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/PlanDefinition", COLONOSCOPY, "/fhir/PlanDefinition/_search"])
def test_nothing_can_be_written(client: FlaskClient, method: str, path: str) -> None:
    assert refused(client.open(path, method=method), 405).startswith("MYO-1405")


@pytest.mark.parametrize("wanted", ["application/fhir+xml", "text/turtle", "application/fhir+xml; fhirVersion=4.0"])
def test_another_format_is_refused(client: FlaskClient, wanted: str) -> None:
    assert refused(client.get(COLONOSCOPY, headers={"Accept": wanted}), 406).startswith("MYO-1305")
    assert refused(client.get(f"{COLONOSCOPY}?_format={wanted}"), 406).startswith("MYO-1305")


WITH_PARAMETERS = ("application/fhir+json; fhirVersion=4.0", "application/fhir+json;fhirVersion=4.0;q=0.5, text/html;q=0.1")


@pytest.mark.parametrize(
    "accept", ["application/fhir+json", "application/json;q=0.9", "*/*", "text/html,*/*;q=0.8", *WITH_PARAMETERS]
)
def test_json_by_any_of_its_names_is_given(client: FlaskClient, accept: str) -> None:
    assert client.get(COLONOSCOPY, headers={"Accept": accept}).status_code == 200
    assert client.get(f"{COLONOSCOPY}?_format=application/fhir%2Bjson", headers={"Accept": "text/turtle"}).status_code == 200
    assert client.get(f"{COLONOSCOPY}?_format=json").status_code == 200
