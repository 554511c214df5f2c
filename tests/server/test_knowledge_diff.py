"""`knowledge diff`: exactly the patients whose cards change, and how."""

from pathlib import Path

import pytest

from server.basis import Basis, load_basis, packaged_basis
from server.errors import NotFhirError
from server.evaluation import Evaluation, evaluate
from server.knowledge_diff import Difference, as_json, as_text, compare
from tests.server.charts import ANTI_TIF1, AS_OF, FOLDER, chart, slugs
from tests.site import COLONOSCOPY, OLDER_COLONOSCOPY, site_with

CUSHING = 'cushing_threshold_mg_per_day: {{value: {}, source: "ours"}}\n'


OWN_UNIT = """\
colonoscopy:
  resource: ServiceRequest
  title: colonoscopy
  label: colonoscopy in our unit
  investigation: colonoscopy
"""


def compared(new: Basis) -> Difference:
    return compare(packaged_basis(), new, FOLDER, AS_OF)


def words(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    return [(card["summary"], card["detail"], card["indicator"]) for card in evaluation.cards]


def changed_by(new: Basis) -> set[str]:
    """The patients whose cards say something else, found without the comparison."""
    both = [
        (slug, [words(evaluate([chart(slug)], as_of=AS_OF, seed="any", basis=one)) for one in (packaged_basis(), new)])
        for slug in slugs()
    ]
    return {slug for slug, (before, after) in both if before != after}


@pytest.mark.parametrize(
    ("files", "among_them"),
    [
        ({"guidelines__ours": OLDER_COLONOSCOPY}, {"anti-tif1-gamma-dermatomyositis", "dermatomyositis-exactly-50"}),
        ({"definitions__treatment": CUSHING.format(100)}, {"jo1-antisynthetase-ild"}),
        ({"definitions__treatment": CUSHING.format(7.5)}, set()),
    ],
)
def test_a_changed_threshold_names_exactly_the_patients_whose_cards_change(
    tmp_path: Path, files: dict[str, str], among_them: set[str]
) -> None:
    new = load_basis(site_with(tmp_path, **files))
    named = {change.patient for change in compared(new).of_cards}
    assert named == changed_by(new)
    assert named >= among_them
    assert bool(named) == bool(among_them)


def test_it_is_said_how_cards_change(tmp_path: Path) -> None:
    difference = compared(load_basis(site_with(tmp_path, orders=OWN_UNIT)))
    change = next(one for one in difference.of_cards if one.patient == ANTI_TIF1)
    (card,) = change.cards
    assert (card.kind, card.topic) == ("changed", "tumourScreening")
    assert "suggestions" in card.parts
    assert (change.gained, change.lost) == ((), ())
    text = as_text(difference)
    assert "    - Order colonoscopy\n    + Order colonoscopy in our unit\n" in text
    assert text.endswith(f"The cards of {len(difference.of_cards)} of {len(slugs())} patients change.")


def test_a_statement_that_no_longer_holds_is_told(tmp_path: Path) -> None:
    difference = compared(load_basis(site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY)))
    assert {(change.gained, change.lost) for change in difference.changes} == {((), (COLONOSCOPY,))}
    assert f"\n  holds no longer: {COLONOSCOPY}\n" in as_text(difference)


def test_a_statement_that_no_card_shows_is_told_apart(tmp_path: Path) -> None:
    new = load_basis(site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY))
    difference = compared(new)
    apart = {change.patient for change in difference.of_statements_only}
    assert "nxp2-dermatomyositis-dysphagia" in apart
    assert not apart & changed_by(new)
    assert f"  nxp2-dermatomyositis-dysphagia: -{COLONOSCOPY}" in as_text(difference)


def test_a_card_that_comes_or_goes_is_told(tmp_path: Path) -> None:
    without = load_basis(site_with(tmp_path, site="off: [sunderkotter-2016-pft-all]\n"))
    removed = {card.kind for change in compared(without).of_cards for card in change.cards if card.topic == "lungFunction"}
    back = compare(without, packaged_basis(), FOLDER, AS_OF)
    added = {card.kind for change in back.of_cards for card in change.cards if card.topic == "lungFunction"}
    assert "removed" in removed
    assert "added" in added
    assert "  removed lungFunction [info]: " in as_text(compared(without))


def test_the_json_says_the_same(tmp_path: Path) -> None:
    difference = compared(load_basis(site_with(tmp_path, orders=OWN_UNIT)))
    told = as_json(difference)
    assert (told["oldVersion"], told["patients"]) == (packaged_basis().knowledge.version, len(slugs()))
    assert told["oldVersion"] != told["newVersion"]
    assert [one["patient"] for one in told["changed"]] == [one.patient for one in difference.of_cards]
    (card,) = next(one for one in told["changed"] if one["patient"] == ANTI_TIF1)["cards"]
    assert "Order colonoscopy" in card["old"]["suggestions"]
    assert "Order colonoscopy in our unit" in card["new"]["suggestions"]


def test_the_same_knowledge_changes_nothing() -> None:
    difference = compared(packaged_basis())
    assert (difference.changes, as_text(difference)) == ((), f"The cards of 0 of {len(slugs())} patients change.")


def test_a_file_that_is_not_fhir_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}", "utf-8")
    with pytest.raises(NotFhirError, match=r"odd\.json: The JSON is not FHIR"):
        compare(packaged_basis(), packaged_basis(), tmp_path, AS_OF)
