from io import BytesIO
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po

from scripts.messages import files
from server.languages.collecting import Found, NotLiteralError, collect, patterns_of_python, patterns_of_template
from server.languages.knowledge_texts import READ_BY_PEOPLE, ROOT, knowledge_texts
from server.languages.po_files import as_po, updated
from server.languages.speaking import has_words
from tests.server.languages.speech import small_catalogue


def test_the_committed_catalogues_hold_what_there_is_to_translate() -> None:
    stale = [path.name for path, content in files() if not path.exists() or path.read_bytes() != content]
    assert stale == [], "run python scripts/messages.py"


def test_every_sentence_is_made_from_a_literal() -> None:
    assert collect()  # raises where one is not


@pytest.mark.parametrize(
    "source",
    ["say(pattern)", "say(f'no {x}', x=1)", "say('a' + b)", "say()", "say_number('one', many, 2)", "x.map(lambda: say(y))"],
)
def test_a_pattern_that_is_no_literal_is_a_fault_with_its_place(source: str) -> None:
    with pytest.raises(NotLiteralError, match=r"^room/file\.py:2: `say(_number)?` needs its patterns as literals"):
        list(patterns_of_python(f"\n{source}\n", "room/file.py"))
    if "'a' + b" not in source and "lambda" not in source and not source.startswith("say(f"):
        with pytest.raises(NotLiteralError):
            list(patterns_of_template(f"\n{{{{ {source} }}}}", "room/file.html"))


def test_sentences_of_python_and_of_templates_are_found() -> None:
    python = patterns_of_python(
        "x = [say('no '\n 'test', a=1), say_number('{number} day', '{number} days', n), other('not')]", "a.py"
    )
    template = patterns_of_template(
        "{% if say('no test') %}{{ say_number('{number} day', '{number} days', n)|here }}{% endif %}", "a.html"
    )
    assert [(one.text, one.plural) for one in python] == [("no test", ""), ("{number} day", "{number} days")]
    assert sorted((one.text, one.plural) for one in template) == [("no test", ""), ("{number} day", "{number} days")]


@pytest.mark.parametrize("pattern", sorted(READ_BY_PEOPLE))
def test_every_file_and_member_that_is_declared_exists(pattern: str) -> None:
    written = "".join(path.read_text("utf-8") for path in ROOT.glob(pattern))
    assert [member for member in READ_BY_PEOPLE[pattern] if f"{member}:" not in written] == []


def test_citations_are_not_translated_and_descriptions_of_sources_are() -> None:
    texts = {text for text, file in knowledge_texts() if file == "cards/sources.yaml"}
    assert "Drake et al. 1996" not in texts
    assert {"product labels", "eminence-based"} <= texts


def test_codes_keys_and_names_in_conditions_are_not_collected() -> None:
    ids = {
        rule["id"]
        for path in Path(ROOT, "cards/guidelines").glob("*.yaml")
        for rule in yaml.safe_load(path.read_text("utf-8"))["recommendations"]
    }
    assert not ids & {text for text, _ in knowledge_texts()}


@pytest.mark.parametrize(
    ("pattern", "expected"), [("{title} ({value:.1f})", False), ("{a}: {b}", False), ("{value} mg", True), ("§ 12", False)]
)
def test_what_has_no_words_needs_no_translator(pattern: str, expected: bool) -> None:
    assert has_words(pattern) is expected


def test_translations_are_kept_new_texts_come_in_empty_and_lost_ones_go() -> None:
    before = read_po(
        BytesIO(b'#. by hand\nmsgid "old"\nmsgstr "alt"\n\n# a reason\nmsgid "kept"\nmsgstr "bleibt"\n'), locale="de"
    )
    found = [
        Found("kept", "", "a.py"),
        Found("kept", "", "b.py"),
        Found("new", "", "b.py"),
        Found("{number} a", "{number} b", "b.py"),
    ]
    text = as_po(updated(found, before, "de"), "title").decode()
    assert "old" not in text
    assert '# a reason\n#: a.py b.py\nmsgid "kept"\nmsgstr "bleibt"\n' in text
    assert '#: b.py\nmsgid "new"\nmsgstr ""\n' in text
    assert 'msgid_plural "{number} b"\nmsgstr[0] ""\nmsgstr[1] ""\n' in text
    assert as_po(updated(found, read_po(BytesIO(text.encode()), locale="de"), "de"), "title").decode() == text


def test_a_file_of_translators_is_read_as_it_is_written() -> None:
    known = small_catalogue()
    assert known.texts["lung function"] == "Lungenfunktion"
    assert [known.form(number) for number in (0, 1, 2)] == [1, 0, 1]
