from concurrent.futures import ThreadPoolExecutor

import pytest
from jinja2 import DictLoader, Environment
from markupsafe import Markup

from cards.markdown import capital
from fhir_profiles.sentences import say
from server.languages.templates import make_speak, spoken_in
from tests.server.languages.speech import speak_small

PAGES = {
    "page": "{% from 'words' import row %}<p lang={{ spoken_language() }}>{{ text }}</p>{{ row('drug safety') }}",
    "words": "{% macro row(text) %}<b>{{ text }}</b>{% endmacro %}",
    "known": "{{ say('<b>{name}</b> *is* known', name=name) }}",
    "number": "{{ say_number('{number} test of {title}', '{number} tests of {title}', 2, title='lung function') }}",
    "capital": "{{ text|here|capital }}",
    "literal": "{{ 'lung function' }}",
}
HOSTILE = ["<script>alert(1)</script>", "{{ 7 * 7 }}", "{name}", "' onload='x", "&lt;", "{0.__class__}"]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Environment:
    speak_small(monkeypatch, {"fever": "<i>Fieber</i>"})
    environment = Environment(loader=DictLoader(PAGES), autoescape=True)
    make_speak(environment)
    environment.filters["capital"] = capital
    return environment


def render(pages: Environment, page: str, language: str, **values: object) -> str:
    with spoken_in(language):
        return pages.get_template(page).render(**values)


def test_what_a_page_prints_is_said_in_the_language_of_the_render(pages: Environment) -> None:
    sentence = say("no {title} on record, since {day}", title="lung function", day=2024)
    assert render(pages, "page", "de", text=sentence) == (
        "<p lang=de>seit 2024 kein Eintrag: Lungenfunktion</p><b>Arzneimittelsicherheit</b>"
    )
    assert render(pages, "page", "en", text=sentence) == (
        "<p lang=en>no lung function on record, since 2024</p><b>drug safety</b>"
    )


def test_a_literal_is_not_frozen_when_the_template_is_compiled(pages: Environment) -> None:
    assert [render(pages, "literal", language) for language in ("en", "de", "en")] == [
        "lung function",
        "Lungenfunktion",
        "lung function",
    ]


def test_a_text_that_a_filter_changes_is_said_first(pages: Environment) -> None:
    assert render(pages, "capital", "de", text="lung function") == "Lungenfunktion"
    assert render(pages, "capital", "en", text="lung function") == "Lung function"


def test_numbers_choose_their_form(pages: Environment) -> None:
    assert render(pages, "number", "de") == "2 Tests: Lungenfunktion"


@pytest.mark.requirement("CARD-01")
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("language", ["en", "de"])
def test_values_of_a_chart_are_escaped_in_every_language(pages: Environment, language: str, hostile: str) -> None:
    escaped = str(Markup.escape(hostile))
    assert render(pages, "page", language, text=hostile).startswith(f"<p lang={language}>{escaped}</p>")
    verb = "*ist* bekannt" if language == "de" else "*is* known"
    assert render(pages, "known", language, name=hostile) == f"&lt;b&gt;{escaped}&lt;/b&gt; {verb}"


def test_what_a_translator_wrote_is_escaped_too(pages: Environment) -> None:
    assert render(pages, "page", "de", text="fever").startswith("<p lang=de>&lt;i&gt;Fieber&lt;/i&gt;</p>")


def test_markup_that_the_program_made_stays_markup(pages: Environment) -> None:
    assert "<em>drug safety</em>" in render(pages, "page", "de", text=Markup("<em>drug safety</em>"))


def test_each_thread_has_its_own_language(pages: Environment) -> None:
    def one(number: int) -> str:
        return render(pages, "literal", ("en", "de")[number % 2])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(200))) == ["lung function", "Lungenfunktion"] * 100


def test_the_language_does_not_outlive_its_page(pages: Environment) -> None:
    with pytest.raises(RuntimeError), spoken_in("de"):
        raise RuntimeError
    assert pages.get_template("literal").render() == "lung function"
