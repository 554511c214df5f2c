"""The synthetic patients: who they are, and that together they cover what the service must tell apart."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox.build_patients import differences, expected_files, main, write
from sandbox.bundles import build_bundle
from sandbox.codes import read_codes
from sandbox.story import STORIES_FOLDER, Story, StoryError, read_stories, read_story
from tests.for_each import for_each

STORIES = {story.slug: story for story in read_stories()}
DISEASE_TREATMENT = (
    "prednisone",
    "prednisolone",
    "methylprednisolone",
    "methotrexate",
    "azathioprine",
    "immunoglobulin",
)


def has_problem(story: Story, what: str, **fields: str) -> bool:
    return any(
        line.what == what and all(getattr(line, name) == value for name, value in fields.items()) for line in story.conditions
    )


def has_result(story: Story, what: str, answer: str) -> bool:
    return any(line.what == what and line.answer == answer for line in story.results)


def has_drug(story: Story, what: str, stopped: str = "") -> bool:
    return any(line.what == what and line.stopped == stopped for line in story.medications)


def is_done(story: Story, *whats: str) -> bool:
    return set(whats) <= {line.what for line in (*story.procedures, *story.reports) if not getattr(line, "declined", "")}


def is_untreated(story: Story) -> bool:
    return not any(line.what.startswith(DISEASE_TREATMENT) for line in story.medications)


def grades(story: Story) -> list[int]:
    return [int(line.value) for line in story.results if line.what.startswith("mrc_")]


TUMOUR_SCREEN_OF_A_WOMAN_OVER_50 = ("ct_chest_abdomen_pelvis", "mammography", "pelvic_ultrasound", "colonoscopy")

COVERAGE: dict[str, tuple[str, Callable[[Story], bool]]] = {
    "a woman of 62 with anti-TIF1-gamma who had mammography and nothing else": (
        "anti-tif1-gamma-dermatomyositis",
        lambda s: (
            (s.age, s.sex) == (62, "female")
            and has_result(s, "anti_tif1_gamma", "positive")
            and is_done(s, "mammography")
            and not is_done(s, "colonoscopy")
            and not is_done(s, "pulmonary_function")
        ),
    ),
    "a man under 50 with anti-TIF1-gamma": ("anti-tif1-gamma-dermatomyositis-man", lambda s: s.sex == "male" and s.age < 50),
    "a woman of 35 with classic dermatomyositis": (
        "classic-dermatomyositis",
        lambda s: (s.age, s.sex) == (35, "female") and is_untreated(s),
    ),
    "a man of exactly 50": ("dermatomyositis-exactly-50", lambda s: (s.age, s.sex) == (50, "male")),
    "a complete negative primary tumour screen four months ago": (
        "dermatomyositis-screened-negative",
        lambda s: (
            is_done(s, *TUMOUR_SCREEN_OF_A_WOMAN_OVER_50)
            and {line.on[:7] for line in s.reports if line.what == "ct_chest_abdomen_pelvis"} == {"2026-07"}
        ),
    ),
    "a woman over 50 who declined colonoscopy": (
        "dermatomyositis-declined-colonoscopy",
        lambda s: (
            (s.age > 50, s.sex) == (True, "female")
            and any(line.what == "colonoscopy" and line.declined for line in s.procedures)
            and not is_done(s, "mammography")
        ),
    ),
    "dermatomyositis six years after onset": (
        "dermatomyositis-six-years",
        lambda s: has_problem(s, "dermatomyositis_adult_onset", onset="2020-09"),
    ),
    "amyopathic anti-MDA5 disease with rapidly progressive lung disease": (
        "mda5-amyopathic-rapid-ild",
        lambda s: (
            has_problem(s, "dermatomyositis_amyopathic")
            and has_problem(s, "rapidly_progressive_ild", severity="severe")
            and has_result(s, "anti_mda5", "positive")
        ),
    ),
    "anti-MDA5 without lung disease": (
        "mda5-dermatomyositis-no-ild",
        lambda s: has_result(s, "anti_mda5", "positive") and not has_problem(s, "interstitial_lung_disease"),
    ),
    "anti-NXP2 with severe dysphagia": (
        "nxp2-dermatomyositis-dysphagia",
        lambda s: has_result(s, "anti_nxp2", "positive") and has_problem(s, "dysphagia", severity="severe"),
    ),
    "anti-Jo-1 antisynthetase syndrome with chronic lung disease on prednisone": (
        "jo1-antisynthetase-ild",
        lambda s: (
            has_problem(s, "antisynthetase_syndrome")
            and has_problem(s, "interstitial_lung_disease")
            and has_drug(s, "prednisone_5")
        ),
    ),
    "antisynthetase syndrome in words only": (
        "pl7-antisynthetase-in-words",
        lambda s: has_problem(s, "antisynthetase_syndrome_in_words") and has_result(s, "anti_pl7_in_words", "positive"),
    ),
    "anti-HMGCR necrotising myopathy on a statin": (
        "hmgcr-necrotising-myopathy-statin",
        lambda s: has_result(s, "anti_hmgcr", "positive") and has_drug(s, "atorvastatin_40"),
    ),
    "anti-SRP necrotising myopathy, severe and refractory": (
        "srp-necrotising-myopathy-refractory",
        lambda s: (
            has_result(s, "anti_srp", "positive")
            and has_drug(s, "methotrexate_2_5", "ineffective")
            and has_drug(s, "immunoglobulin_iv", "ineffective")
        ),
    ),
    "seronegative necrotising myopathy": (
        "seronegative-necrotising-myopathy",
        lambda s: (
            has_result(s, "anti_srp", "negative") and has_result(s, "anti_hmgcr", "negative") and is_done(s, "muscle_biopsy")
        ),
    ),
    "untreated polymyositis with mild weakness": (
        "polymyositis-untreated",
        lambda s: is_untreated(s) and set(grades(s)) == {4} and has_problem(s, "proximal_weakness", severity="mild"),
    ),
    "polymyositis with several groups below MRC 4": ("polymyositis-severe", lambda s: sum(grade < 4 for grade in grades(s)) > 1),
    "severe dermatomyositis after prednisolone and azathioprine have failed": (
        "dermatomyositis-refractory-severe",
        lambda s: (
            has_drug(s, "prednisolone_20", "ineffective")
            and has_drug(s, "azathioprine_50", "ineffective")
            and sum(grade < 4 for grade in grades(s)) > 1
        ),
    ),
    "methotrexate that was not tolerated": (
        "dermatomyositis-methotrexate-intolerance",
        lambda s: has_drug(s, "methotrexate_2_5", "not tolerated") and "methotrexate" in {line.what for line in s.allergies},
    ),
    "a third line after azathioprine and immunoglobulin": (
        "dermatomyositis-third-line",
        lambda s: has_drug(s, "azathioprine_50", "ineffective") and has_drug(s, "immunoglobulin_iv", "ineffective"),
    ),
    "remission on azathioprine": (
        "dermatomyositis-remission",
        lambda s: has_problem(s, "dermatomyositis", status="remission") and has_drug(s, "azathioprine_50"),
    ),
    "untreated inclusion body myositis in a man of 71": (
        "inclusion-body-myositis",
        lambda s: (s.age, s.sex) == (71, "male") and has_problem(s, "inclusion_body_myositis") and is_untreated(s),
    ),
    "inclusion body myositis on prednisone": (
        "inclusion-body-myositis-on-prednisone",
        lambda s: has_problem(s, "sporadic_ibm") and has_drug(s, "prednisone_10"),
    ),
    "a pregnant woman with active dermatomyositis": (
        "dermatomyositis-pregnant",
        lambda s: s.sex == "female" and has_problem(s, "pregnancy") and has_problem(s, "dermatomyositis", status="active"),
    ),
    "an untreated girl of 8 with juvenile dermatomyositis": (
        "juvenile-dermatomyositis-untreated",
        lambda s: (s.age, s.sex) == (8, "female") and is_untreated(s),
    ),
    "a boy of 13 resistant to 16 weeks of methotrexate and prednisolone": (
        "juvenile-dermatomyositis-resistant",
        lambda s: (
            s.age == 13
            and all(
                (s.as_of - date.fromisoformat(line.start)).days // 7 == 16
                for line in s.medications
                if line.what in ("methotrexate_injection", "prednisolone_20")
            )
        ),
    ),
    "a boy of 11 with a juvenile myositis that is not dermatomyositis": (
        "juvenile-polymyositis",
        lambda s: s.age == 11 and has_problem(s, "polymyositis") and not has_problem(s, "heliotrope_rash"),
    ),
    "an adult of 22 whose disease began in childhood": (
        "juvenile-onset-now-adult",
        lambda s: s.age == 22 and has_problem(s, "dermatomyositis_juvenile", onset="2016-05"),
    ),
    "overlap with systemic sclerosis": (
        "overlap-myositis-systemic-sclerosis",
        lambda s: has_problem(s, "overlap_myositis") and has_problem(s, "systemic_sclerosis"),
    ),
    "a suspected dermatomyositis": (
        "dermatomyositis-suspected",
        lambda s: has_problem(s, "dermatomyositis", verification="provisional"),
    ),
    "a borderline antibody": ("borderline-anti-mda5", lambda s: has_result(s, "anti_mda5", "borderline")),
    "a woman over 50 with everything done": (
        "dermatomyositis-fully-cared-for",
        lambda s: (
            s.age > 50
            and is_done(s, "pulmonary_function", *TUMOUR_SCREEN_OF_A_WOMAN_OVER_50)
            and has_drug(s, "methotrexate_2_5")
            and has_drug(s, "folic_acid")
        ),
    ),
    "a resolved dermatomyositis": ("dermatomyositis-resolved", lambda s: has_problem(s, "dermatomyositis", status="resolved")),
    "statin myalgia without antibody": (
        "mimic-statin-myalgia",
        lambda s: has_problem(s, "statin_myalgia") and has_result(s, "anti_hmgcr", "negative"),
    ),
    "a viral myositis": ("mimic-viral-myositis", lambda s: has_problem(s, "viral_myositis")),
    "a muscular dystrophy": ("mimic-muscular-dystrophy", lambda s: has_problem(s, "limb_girdle_dystrophy")),
    "a refuted dermatomyositis": (
        "mimic-refuted-dermatomyositis",
        lambda s: has_problem(s, "dermatomyositis", verification="refuted"),
    ),
    "a family history and nothing else": (
        "family-history-only",
        lambda s: [line.what for line in s.family] == ["dermatomyositis"] and not has_problem(s, "dermatomyositis"),
    ),
    "a healthy person": ("healthy", lambda s: {line.what for line in s.conditions} == {"hypertension", "knee_pain"}),
}


@for_each("who", COVERAGE)
def test_the_patients_include(who: str) -> None:
    slug, is_told = COVERAGE[who]
    assert is_told(STORIES[slug])


@for_each("slug", STORIES)
def test_the_age_in_the_story_is_the_age_of_the_patient(slug: str) -> None:
    story = STORIES[slug]
    told = re.search(r"\b(man|woman|boy|girl) of (?:exactly )?(\d+)\b", story.story, re.IGNORECASE)
    assert told
    assert int(told[2]) == story.age
    assert story.sex == {"man": "male", "boy": "male", "woman": "female", "girl": "female"}[told[1].lower()]


def test_every_patient_is_there_for_a_reason() -> None:
    assert {slug for slug, _ in COVERAGE.values()} == set(STORIES)


def test_the_committed_bundles_are_what_the_stories_say() -> None:
    assert differences(expected_files()) == []


def test_the_same_story_always_gives_the_same_bundle() -> None:
    assert expected_files() == expected_files()


@for_each("slug", STORIES)
def test_nothing_in_a_story_happens_after_it_is_told(slug: str) -> None:
    story = STORIES[slug]
    dates = [
        getattr(line, name)
        for lines in (
            story.conditions,
            story.medications,
            story.results,
            story.procedures,
            story.reports,
            story.orders,
            story.allergies,
            story.family,
        )
        for line in lines
        for name in ("onset", "recorded", "ended", "start", "end", "on")
        if getattr(line, name, "")
    ]
    assert dates
    assert all(day <= story.as_of.isoformat() for day in dates)


@for_each("slug", STORIES)
def test_a_chart_has_every_kind_of_input_so_that_none_counts_as_not_supplied(slug: str) -> None:
    kinds = {entry["resource"]["resourceType"] for entry in build_bundle(STORIES[slug], read_codes())["entry"]}
    assert kinds >= {
        "Patient", "Condition", "MedicationRequest", "Observation", "Procedure", "DiagnosticReport", "ServiceRequest",
        "AllergyIntolerance",
    }  # fmt: skip


def test_every_name_is_given_once() -> None:
    names = [story.name for story in STORIES.values()]
    assert len(set(names)) == len(names)


def a_story(folder: Path, change: Callable[[str], str] = lambda text: text) -> Path:
    path = folder / "somebody.yaml"
    path.write_text(change((STORIES_FOLDER / "healthy.yaml").read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda text: text.replace("onset:", "onse:"), "onse"),
        (lambda text: text.replace("born: 1992-04-23\n", ""), "born"),
        (lambda text: text.replace("1992-04-23", "23 April"), "23 April"),
        (lambda text: "- a list", "somebody.yaml"),
        (lambda text: text + "conditions: [", "somebody.yaml"),
    ],
)
def test_a_story_with_a_mistake_is_refused_by_name(tmp_path: Path, wrong: Callable[[str], str], named: str) -> None:
    with pytest.raises(StoryError, match=r"somebody\.yaml") as refusal:
        read_story(a_story(tmp_path, wrong))
    assert named in str(refusal.value)


def test_a_key_without_a_code_row_is_refused_by_name(tmp_path: Path) -> None:
    story = read_story(a_story(tmp_path, lambda text: text.replace("knee_pain", "elbow_pain")))
    with pytest.raises(StoryError, match=r"somebody: elbow_pain is not a key of codes\.csv"):
        build_bundle(story, read_codes())


def test_a_report_cannot_sum_up_a_result_of_another_day(tmp_path: Path) -> None:
    path = a_story(tmp_path, lambda text: text.replace("No abnormality seen}", "Normal, of: [haemoglobin]}"))
    with pytest.raises(StoryError, match="knee_xray sums up haemoglobin"):
        build_bundle(read_story(path), read_codes())


def test_writing_replaces_what_is_stale_and_removes_what_has_no_story(tmp_path: Path) -> None:
    (tmp_path / "stale.json").write_text("old", encoding="utf-8")
    (tmp_path / "gone.json").write_text("old", encoding="utf-8")
    write({"stale.json": "new", "added.json": "new"}, tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        "stale.json": "new",
        "added.json": "new",
    }


def test_the_check_command_says_that_the_patients_are_up_to_date() -> None:
    result = CliRunner().invoke(main, ["--check"])
    assert (result.exit_code, result.output) == (0, f"{len(STORIES)} patients are up to date\n")


def test_the_check_command_names_what_is_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.build_patients.expected_files", lambda: {**expected_files(), "healthy.json": "other"})
    result = CliRunner().invoke(main, ["--check"])
    assert result.exit_code == 1
    assert "out of date: healthy.json" in result.output
