"""`knowledge diff`: exactly the patients whose cards change, and how."""

from pathlib import Path

import pytest

from server.basis import Basis, load_basis, packaged_basis
from server.errors import NotFhirError
from server.evaluation import Evaluation, evaluate
from server.knowledge.diff import Difference, as_json, as_text, compare
from tests.server.charts import AS_OF, FOLDER, chart, slugs
from tests.server.evaluated import evaluated
from tests.site import COLONOSCOPY, OLDER_EVERYWHERE, site_with

CUSHING = 'cushing_threshold_mg_per_day: {{value: {}, source: "ours"}}\n'


COLONOSCOPY_BEFORE_64 = (
    "dermatomyositis-declined-colonoscopy",
    "dermatomyositis-methotrexate-intolerance",
    "dermatomyositis-remission",
)
"""Their cards also list the colonoscopy that was done or declined, as long as one is recommended at their age."""


def compared(new: Basis) -> Difference:
    return compare(packaged_basis(), new, FOLDER, AS_OF)


@pytest.fixture(scope="module")
def with_older_limits(tmp_path_factory: pytest.TempPathFactory) -> Difference:
    """What another age limit for colonoscopy changes."""
    return compared(load_basis(site_with(tmp_path_factory.mktemp("site"), **OLDER_EVERYWHERE)))


def words(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    return [(card["summary"], card["detail"], card["indicator"]) for card in evaluation.cards]


def changed_by(new: Basis) -> set[str]:
    """The patients whose cards say something else, found without the comparison."""
    after = {slug: evaluate([chart(slug)], as_of=AS_OF, seed="any", basis=new) for slug in slugs()}
    return {slug for slug, evaluation in after.items() if words(evaluated(slug)) != words(evaluation)}


def test_a_changed_age_limit_names_exactly_the_patients_whose_cards_change(tmp_path: Path, with_older_limits: Difference) -> None:
    named = {change.patient for change in with_older_limits.of_cards}
    assert named == changed_by(load_basis(site_with(tmp_path, **OLDER_EVERYWHERE)))
    assert named == {"anti-tif1-gamma-dermatomyositis", "dermatomyositis-exactly-50", *COLONOSCOPY_BEFORE_64}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"definitions__treatment": CUSHING.format(100)}, {"jo1-antisynthetase-ild"}),
        ({"definitions__treatment": CUSHING.format(7.5)}, set()),
    ],
)
def test_a_changed_threshold_names_exactly_the_patients_whose_cards_change(
    tmp_path: Path, files: dict[str, str], expected: set[str]
) -> None:
    new = load_basis(site_with(tmp_path, **files))
    named = {change.patient for change in compared(new).of_cards}
    assert named == changed_by(new) == expected


def test_it_is_said_how_cards_change(with_older_limits: Difference) -> None:
    difference = with_older_limits
    changes = {change.patient: change for change in difference.of_cards}
    first, second = changes["anti-tif1-gamma-dermatomyositis"], changes["dermatomyositis-exactly-50"]
    (card,) = first.cards
    assert (card.kind, card.topic, card.parts) == ("changed", "tumourScreening", ("summary", "suggestions", "detail"))
    assert (first.gained, first.lost) == ((), (COLONOSCOPY,))
    assert [card.parts for card in second.cards] == [("detail",)]
    text = as_text(difference)
    assert "    - Order colonoscopy\n" in text
    assert text.endswith(f"The cards of 5 of {len(slugs())} patients change.")


def test_a_statement_that_no_card_shows_is_told_apart(with_older_limits: Difference) -> None:
    difference = with_older_limits
    assert [change.patient for change in difference.of_statements_only] == ["nxp2-dermatomyositis-dysphagia"]
    assert f"  nxp2-dermatomyositis-dysphagia: -{COLONOSCOPY}" in as_text(difference)


def test_a_card_that_comes_or_goes_is_told(tmp_path: Path) -> None:
    without = load_basis(site_with(tmp_path, site="off: [sunderkotter-2016-pft-all]\n"))
    there = compared(without)
    removed = {card.kind for change in there.of_cards for card in change.cards if card.topic == "lungFunction"}
    back = compare(without, packaged_basis(), FOLDER, AS_OF)
    added = {card.kind for change in back.of_cards for card in change.cards if card.topic == "lungFunction"}
    assert "removed" in removed
    assert "added" in added
    assert "  removed lungFunction [info]: " in as_text(there)


def test_the_json_says_the_same(with_older_limits: Difference) -> None:
    difference = with_older_limits
    told = as_json(difference)
    assert (told["oldVersion"], told["patients"]) == (packaged_basis().knowledge.version, len(slugs()))
    assert told["oldVersion"] != told["newVersion"]
    assert [one["patient"] for one in told["changed"]] == [one.patient for one in difference.of_cards]
    (card,) = told["changed"][0]["cards"]
    assert "Order colonoscopy" in card["old"]["suggestions"]
    assert "Order colonoscopy" not in card["new"]["suggestions"]


def test_the_same_knowledge_changes_nothing() -> None:
    difference = compared(packaged_basis())
    assert (difference.changes, as_text(difference)) == ((), f"The cards of 0 of {len(slugs())} patients change.")


def test_a_file_that_is_not_fhir_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}", "utf-8")
    with pytest.raises(NotFhirError, match=r"odd\.json: The JSON is not FHIR"):
        compare(packaged_basis(), packaged_basis(), tmp_path, AS_OF)
