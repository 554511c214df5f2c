"""The prefetch queries as discovery publishes them: what every client, the simplest too, can fill in."""

import re
from urllib.parse import parse_qsl

import pytest

from server.cds_hooks.prefetch import prefetch_templates

TEMPLATES = prefetch_templates()
SEARCHES = {key: query for key, query in TEMPLATES.items() if "?" in query}

RESTRICTED = {"patient", "_sort", "_count"}
"""Of the restricted subset (CDS Hooks 2.0.1, "Prefetch query restrictions"), what we use."""

TOKENS_OF_EVERY_HOOK = {"context.patientId"}
"""The token that each of the three hooks marks as usable, and that every version knows."""


@pytest.mark.requirement("P-1", "R-10")
@pytest.mark.parametrize("query", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_is_a_read_or_a_search_relative_to_the_server(query: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{[^{}]+\}\}|\?\S+)", query)


@pytest.mark.requirement("P-2", "P-3", "P-4", "P-5", "P-6", "P-13", "X-10")
@pytest.mark.parametrize("query", TEMPLATES.values(), ids=TEMPLATES)
def test_the_only_token_is_one_that_every_hook_version_and_client_knows(query: str) -> None:
    assert set(re.findall(r"\{\{(.*?)\}\}", query)) == TOKENS_OF_EVERY_HOOK
    assert not re.search(r"[{}]", re.sub(r"\{\{.*?\}\}", "", query))


@pytest.mark.requirement("P-9")
@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_a_search_keeps_to_the_restricted_subset(query: str) -> None:
    names = [name for name, _ in parse_qsl(query.partition("?")[2])]
    assert set(names) <= RESTRICTED
    assert not [name for name in names if ":" in name or "." in name]


@pytest.mark.requirement("P-10")
@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_sorting_is_written_as_r4_does(query: str) -> None:
    assert re.search(r"&_sort=-[a-z-]+(&|$)", query)
    assert "sort:desc" not in query


@pytest.mark.requirement("P-12", "X-10", "OUT-19")
@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_no_parameter_is_repeated(query: str) -> None:
    names = [name for name, _ in parse_qsl(query.partition("?")[2])]
    assert len(set(names)) == len(names)
