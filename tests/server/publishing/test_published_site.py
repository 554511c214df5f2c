"""What is published of a site: `/fhir` and `/guidelines` show the knowledge that the cards are made from."""

import json
from pathlib import Path

from fhir.resources.R4B.valueset import ValueSet
from flask.testing import FlaskClient

from server.application import create_app
from server.basis import load_basis
from server.config import Config
from tests.server.charts import AS_OF
from tests.server.test_site_terminology import LOCAL
from tests.server.test_site_terminology import VALUESET as LOCAL_VALUESET
from tests.site import COLONOSCOPY, OWN_STATEMENT, site_with

OWN_FINDING = "our-finding:\n  title: finding of this hospital\n  diagnoses: [pregnancy]\n"
PFT = "sunderkotter-2016-pft-all"


def client_of(site: Path | None) -> FlaskClient:
    return create_app(Config(site=site, today=lambda: AS_OF)).test_client()


def test_a_statement_of_the_site_can_be_read_as_fhir_and_on_its_page(tmp_path: Path) -> None:
    client = client_of(site_with(tmp_path, guidelines__ours=OWN_STATEMENT))
    plan = client.get("/fhir/PlanDefinition/our-physiotherapy").get_json(force=True)
    assert (plan["id"], plan["status"]) == ("our-physiotherapy", "active")
    assert "the physiotherapist of this hospital" in client.get("/guidelines/ours").text.casefold()
    assert 'href="/guidelines/ours"' in client.get("/guidelines").text
    assert client_of(None).get("/fhir/PlanDefinition/our-physiotherapy").status_code == 404


def test_what_is_published_has_the_version_of_the_cards(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OWN_STATEMENT)
    client, version = client_of(site), load_basis(site).knowledge.version
    assert client.get(f"/fhir/PlanDefinition/{COLONOSCOPY}").get_json(force=True)["version"] == version
    assert f"Knowledge {version}." in client.get("/guidelines").text


def test_a_statement_that_the_site_switched_off_is_a_draft_and_shown_as_off(tmp_path: Path) -> None:
    client = client_of(site_with(tmp_path, site=f"off: [{COLONOSCOPY}]\n"))
    assert client.get(f"/fhir/PlanDefinition/{COLONOSCOPY}").get_json(force=True)["status"] == "draft"
    page = client.get("/guidelines/titulaer-2011").text
    assert '<span class="mark">off</span>' in page[page.index(f'<article id="{COLONOSCOPY}"') :].partition("</article>")[0]
    assert ", 1 off" in page


def test_a_guideline_with_every_statement_switched_off_keeps_its_page(tmp_path: Path) -> None:
    client = client_of(site_with(tmp_path, guidelines__ours=OWN_STATEMENT + "    enabled: false\n"))
    assert "0 computed, 0 stated, 1 off" in client.get("/guidelines/ours").text


def test_a_page_of_the_site_about_a_packaged_source_is_listed_beside_the_packaged_one(tmp_path: Path) -> None:
    own = OWN_STATEMENT.replace("house-default", "titulaer-2011")
    index = client_of(site_with(tmp_path, guidelines__ours=own)).get("/guidelines").text
    assert 'href="/guidelines/ours"' in index
    assert 'href="/guidelines/titulaer-2011"' in index


def test_a_finding_of_the_site_is_named_in_its_words(tmp_path: Path) -> None:
    asks = OWN_STATEMENT.replace("{population: adult-dermatomyositis}", "{present: our-finding}")
    client = client_of(site_with(tmp_path, guidelines__ours=asks, definitions__features=OWN_FINDING))
    assert "finding of this hospital" in client.get("/guidelines/ours").text
    (action,) = client.get("/fhir/PlanDefinition/our-physiotherapy").get_json(force=True)["action"]
    assert "finding of this hospital" in action["condition"][0]["expression"]["expression"]


def test_a_code_of_the_site_is_in_the_value_set_that_charts_are_read_with(tmp_path: Path) -> None:
    (tmp_path / "valuesets").mkdir()
    (tmp_path / "valuesets" / "ours.json").write_text(json.dumps(LOCAL_VALUESET), "utf-8")
    ours, packaged = (
        client.get("/fhir/ValueSet/anti-tif1-gamma").get_json(force=True) for client in (client_of(tmp_path), client_of(None))
    )
    ValueSet.model_validate(ours)
    *before, added = ours["compose"]["include"]
    assert before == packaged["compose"]["include"]
    assert added == {"system": LOCAL, "concept": [{"code": "MYO-17", "display": "TIF1g"}]}
    assert ours["version"] == load_basis(tmp_path).knowledge.version


def test_two_services_side_by_side_publish_each_its_own(tmp_path: Path) -> None:
    ours, packaged = client_of(site_with(tmp_path, site=f"off: [{PFT}]\n")), client_of(None)
    states = [client.get(f"/fhir/PlanDefinition/{PFT}").get_json(force=True)["status"] for client in (ours, packaged)]
    assert states == ["draft", "active"]
