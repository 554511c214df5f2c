import copy
import json
import pickle
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.dates import DateInterval, parse_fhir_date
from fhir_profiles.sentences import Sentence, changed, join, say, say_as_written, say_number


def shout(text: str, mark: str) -> str:
    return text.upper() + mark


SENTENCES = [
    say("no {title} on record", title="lung function"),
    say_as_written("no {title} on record", title="lung function"),
    say_number("{number} test of {title}", "{number} tests of {title}", 2, title="CK"),
    join("; ", ["one", say("{day}", day=parse_fhir_date("2024-05"))]),
    changed(shout, say("no test"), "!"),
]


def test_a_sentence_is_its_english_text_to_everybody() -> None:
    assert SENTENCES == ["no lung function on record"] * 2 + ["2 tests of CK", "one; May 2024", "NO TEST!"]
    assert len({*SENTENCES, "2 tests of CK"}) == 4
    assert f"{SENTENCES[0]}." == "no lung function on record."


def test_a_sentence_remembers_how_it_was_made() -> None:
    day = DateInterval(date(2024, 5, 1), date(2024, 5, 1))
    sentence = say("{title}, {day}, {value:.1f}", title="CK", day=day, value=2.25)
    assert (sentence, sentence.pattern) == ("CK, 1 May 2024, 2.2", "{title}, {day}, {value:.1f}")
    assert sentence.values == {"title": "CK", "day": day, "value": 2.25}
    assert (sentence.plural, sentence.change) == ("", None)


@pytest.mark.parametrize(("number", "text"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_a_number_chooses_the_pattern_and_both_are_kept(number: int, text: str) -> None:
    sentence = say_number("{number} day", "{number} days", number)
    assert (sentence, sentence.pattern, sentence.plural) == (text, "{number} day", "{number} days")


def test_the_parts_of_a_join_stay_sentences() -> None:
    inner = say("no test")
    assert join(", ", [inner, "plain"]).values == (inner, "plain")
    assert type(join(", ", [inner]).values[0]) is Sentence


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_copy_and_a_journey_to_another_process_keep_all_of_it(sentence: Sentence) -> None:
    assert copy.deepcopy({"text": [sentence]})["text"][0] is sentence
    for made in (copy.copy(sentence), pickle.loads(pickle.dumps(sentence))):  # noqa: S301 - our own
        assert (made, made.pattern, made.values) == (sentence, sentence.pattern, sentence.values)
        assert (made.change, made.plural) == (sentence.change, sentence.plural)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_json_has_the_text(sentence: Sentence) -> None:
    assert json.loads(json.dumps([sentence])) == orjson.loads(orjson.dumps([sentence])) == [str(sentence)]


def test_what_a_chart_holds_is_filled_in_and_never_read_as_a_pattern() -> None:
    hostile = "{0.__class__} {title} %s"
    assert say("{title}: {value}", title=hostile, value=say("{text}", text=hostile)) == f"{hostile}: {hostile}"


def test_a_value_that_is_not_given_is_an_error_where_the_sentence_is_made() -> None:
    with pytest.raises(KeyError):
        say("no {title}", name="x")


@given(st.lists(st.text()), st.text())
def test_a_join_reads_as_that_of_python(parts: list[str], separator: str) -> None:
    assert join(separator, parts) == separator.join(parts)
