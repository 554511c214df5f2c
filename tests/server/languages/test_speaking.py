from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.markdown import SUMMARY_LIMIT, bullets
from fhir_profiles.dates import DateInterval, parse_fhir_date
from fhir_profiles.sentences import AsWritten, Sentence, changed, join, say, say_number
from server.languages.speaking import in_language, left_over
from tests.server.languages.speech import speak_small

pytestmark = pytest.mark.usefixtures("german")


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    speak_small(monkeypatch)


def missing_since(day: str) -> Sentence:
    return say("no {title} on record, since {day}", title="lung function", day=parse_fhir_date(day))


def test_english_is_the_value_itself() -> None:
    tree = {"summary": missing_since("2024-05-17"), "links": ["x" * 200]}
    assert in_language(tree, "en") is tree


@pytest.mark.parametrize(
    ("day", "said"),
    [("2024-05-17", "17. Mai 2024"), ("2024-05", "Mai 2024"), ("2024", "2024")],
)
def test_a_day_is_said_as_precisely_as_it_is_known(day: str, said: str) -> None:
    assert in_language(missing_since(day), "de") == f"seit {said} kein Eintrag: Lungenfunktion"


def test_a_span_of_days_is_a_sentence_too() -> None:
    span = DateInterval(date(2024, 1, 3), date(2024, 2, 4))
    sentence = say("no {title} on record, since {day}", title="x1", day=span)
    assert in_language(sentence, "de") == "seit zwischen 3. Januar 2024 und 4. Februar 2024 kein Eintrag: x1"


def test_a_bare_date_is_said_like_an_exact_day() -> None:
    assert in_language(join(", ", ["lung function", say("{day}", day=date(2024, 5, 17))]), "de") == "Lungenfunktion, 17. Mai 2024"


@pytest.mark.parametrize(("number", "said"), [(1, "1 Test: X"), (0, "0 Tests: X"), (7, "7 Tests: X")])
def test_a_number_chooses_its_form(number: int, said: str) -> None:
    assert in_language(say_number("{number} test of {title}", "{number} tests of {title}", number, title="X"), "de") == said


def test_numbers_have_the_marks_of_the_language() -> None:
    assert in_language(say("creatine kinase {value:g} times the limit", value=2.5), "de").startswith("Kreatinkinase 2,5-fach")
    assert in_language(say("weight {value:,.1f}", value=12345.67), "de") == "Gewicht 12.345,7"


def test_changes_are_made_to_the_translation() -> None:
    def starred(text: str) -> str:
        return text.replace("*", r"\*")

    tree = changed(str.capitalize, changed(starred, say("<b>{name}</b> *is* known", name="_you*")))
    assert in_language(tree, "de") == r"<b>_you\*</b> \*ist\* bekannt"


def test_what_a_change_is_given_beside_the_text_is_said_too() -> None:
    def longest(first: str, *others: str) -> str:
        return max([first, *others], key=len)

    chosen = changed(longest, "drug safety", say("no {title} on record, since {day}", title="a", day=2024))
    assert chosen == "no a on record, since 2024"
    assert in_language(chosen, "de") == "seit 2024 kein Eintrag: a"


def test_lists_stay_lists() -> None:
    lines = [missing_since("2024"), "drug safety"]
    assert in_language(join("\n", [changed(lambda line: f"- {line}", line) for line in lines]), "de") == bullets(
        ["seit 2024 kein Eintrag: Lungenfunktion", "Arzneimittelsicherheit"]
    )


def test_members_for_machines_stay_english() -> None:
    card = {"source": {"topic": {"code": "drug safety", "display": "drug safety"}}, "tags": ("lung function", 3, None)}
    assert in_language(card, "de") == {
        "source": {"topic": {"code": "drug safety", "display": "Arzneimittelsicherheit"}},
        "tags": ("Lungenfunktion", 3, None),
    }


def test_the_words_of_a_code_are_said_and_its_codings_are_not() -> None:
    order = {"code": {"coding": [{"code": "lung function", "display": "lung function"}], "text": "lung function"}}
    assert in_language({"type": "create", "resource": order}, "de") == {
        "type": "create",
        "resource": {"code": {"coding": [{"code": "lung function", "display": "lung function"}], "text": "Lungenfunktion"}},
    }


def test_an_order_of_the_clinician_is_given_back_as_it_was_with_our_note_in_german() -> None:
    order = {"code": {"text": "lung function"}, "note": [{"text": "lung function"}, {"text": missing_since("2024")}]}
    said = in_language({"type": "update", "description": "lung function", "resource": order}, "de")
    assert said == {
        "type": "update",
        "description": "Lungenfunktion",
        "resource": {
            "code": {"text": "lung function"},
            "note": [{"text": "lung function"}, {"text": "seit 2024 kein Eintrag: Lungenfunktion"}],
        },
    }


def test_a_sentence_without_translation_stays_english_as_a_whole() -> None:
    assert in_language(say("{title} seen on {day}", title="lung function", day=parse_fhir_date("2024-05")), "de") == (
        "lung function seen on May 2024"
    )


@pytest.mark.parametrize("text", ["a doubtful one", "an empty one"])
def test_doubtful_and_empty_entries_are_not_said(text: str) -> None:
    assert in_language(text, "de") == text


def test_what_is_left_over_is_named_once_and_numbers_are_not() -> None:
    tree = [missing_since("2024"), "Drake 1996", {"id": "x"}, say("{a} ({b})", a="lung function", b="§ 12"), say("odd {a}", a=1)]
    assert list(left_over([*tree, "Drake 1996"], "de")) == ["Drake 1996", "odd {a}"]


@given(st.text(max_size=400), st.text(max_size=60))
def test_a_summary_keeps_its_limit_in_every_language(start: str, name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        speak_small(patch)
        said = in_language({"summary": say("<b>{name}</b> *is* known", name=start + name)}, "de")["summary"]
    assert len(said.encode("utf-16-le")) // 2 <= SUMMARY_LIMIT


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_the_catalogue_does_not_know_stays_as_it_is(tree: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        speak_small(patch)
        if "summary" not in str(tree):
            assert in_language(tree, "de") == tree


@pytest.mark.requirement("SM-09")
@given(st.sampled_from(["lung function", "drug safety"]))
def test_what_others_wrote_stays_wherever_it_stands(text: str) -> None:
    written = AsWritten(text)
    shown = [
        written,
        {"text": written},
        join(", ", [written, written]),
        changed(str.upper, written),
        say("no {title} on record, since {day}", title=written, day=2024),
    ]
    as_it_is = [text, {"text": text}, f"{text}, {text}", text.upper(), f"seit 2024 kein Eintrag: {text}"]
    assert in_language(shown, "de") == as_it_is
    assert in_language(text, "de") != text
    assert [*left_over(shown, "de")] == []
