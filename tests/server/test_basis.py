"""What an evaluation rests on: the packaged knowledge and terminology, or a site's over them."""

import json
from pathlib import Path

import pytest

from cards.layers import PACKAGED
from server.basis import basis_from, load_basis, packaged_basis
from server.config import ConfigurationError
from server.evaluation import evaluate
from tests.server.charts import ANTI_TIF1, AS_OF, chart
from tests.server.test_site_terminology import CHART, VALUESET
from tests.site import COLONOSCOPY, OLDER_COLONOSCOPY, site_with


def test_two_knowledges_are_used_side_by_side(tmp_path: Path) -> None:
    site = load_basis(site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY))
    for _ in range(2):
        ours = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="seed", basis=site)
        packaged = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="seed")
        assert COLONOSCOPY in {r.id for r in packaged.recommendations}
        assert COLONOSCOPY not in {r.id for r in ours.recommendations}


def test_cards_and_evaluation_tell_the_version_of_the_knowledge_that_they_rest_on(tmp_path: Path) -> None:
    site = load_basis(site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY))
    evaluation = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="seed", basis=site)
    told = {card["extension"]["org.myositis-cds.explanation"]["knowledgeVersion"] for card in evaluation.cards}
    assert told == {evaluation.knowledge.version} == {site.knowledge.version}
    assert site.knowledge.version != packaged_basis().knowledge.version


def test_the_version_covers_the_folder_with_the_terminology_of_the_site(tmp_path: Path) -> None:
    versions = [packaged_basis().knowledge.version]
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert load_basis(terminology=folder).knowledge.version == versions[0]
        load_basis.cache_clear()
        (folder / "anti-tif1-gamma.json").write_text(json.dumps(VALUESET).replace("MYO-17", f"MYO-{number}"), "utf-8")
        versions.append(load_basis(terminology=folder).knowledge.version)
    assert len(set(versions)) == 3


def test_without_folders_it_is_the_packaged_one() -> None:
    assert load_basis() is basis_from({}) is packaged_basis()


def test_value_sets_of_the_site_are_read_from_its_folder_and_from_their_own(tmp_path: Path) -> None:
    valuesets = tmp_path / "site" / "valuesets"
    valuesets.mkdir(parents=True)
    (valuesets / "anti-tif1-gamma.json").write_text(json.dumps(VALUESET), "utf-8")
    both = ({"MYOSITIS_CDS_SITE": str(tmp_path / "site")}, {"MYOSITIS_CDS_TERMINOLOGY": str(valuesets)})
    for environment in both:
        assessment = evaluate([CHART], as_of=AS_OF, seed="seed", basis=basis_from(environment)).assessment
        assert list(assessment.antibodies) == ["anti-tif1-gamma"]


def test_a_whole_knowledge_folder_takes_the_place_of_the_packaged_one() -> None:
    assert load_basis(PACKAGED).knowledge.version == packaged_basis().knowledge.version


@pytest.mark.parametrize("name", ["MYOSITIS_CDS_SITE", "MYOSITIS_CDS_TERMINOLOGY"])
def test_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="nowhere: no such folder"):
        basis_from({name: str(tmp_path / "nowhere")})


def test_a_slip_in_the_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="`foo` is no rule"):
        load_basis(site_with(tmp_path, site="off: [foo]\n"))
