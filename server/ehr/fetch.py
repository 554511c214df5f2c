"""One prefetch query, asked of a FHIR server: a read, or a search page by page (threats OUT-07, OUT-10)."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from fhir_profiles.elements import objects
from fhir_profiles.sentences import AsWritten, say
from server.cds_hooks.prefetch import Fetched, Template
from server.cds_hooks.prefetch_state import Judgement, PrefetchState, entries_of, judge
from server.ehr.address import below
from server.ehr.budget import Budget
from server.ehr.exchange import FetchError, ask
from server.ehr.permission import FhirServer

Json = dict[str, Any]

MOST_PAGES = 10
MOST_RESOURCES_OF_QUERY = 2_000


@dataclass(frozen=True, slots=True)
class Query:
    """One query of one hook call.

    Args:
        template: what is asked.
        patient_id: for whom.
        sent: the Bundle that was sent for it, if it was sent in part; the pages after it are asked for.
    """

    template: Template
    patient_id: str
    sent: Json | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a query ended.

    Args:
        fetched: what came.
        error: what ended it before the end; None if nothing did.
    """

    fetched: Fetched
    error: FetchError | None = None


def fetch(query: Query, server: FhirServer, budget: Budget) -> Outcome:
    """Ask one query.

    Args:
        query: what to ask.
        server: whom.
        budget: to draw on.
    """
    url = below(server.base, f"{server.base}/{query.template.query_for(query.patient_id)}", server.base)
    if url is None:
        return failed(FetchError("no-address"))  # an id of dots would climb out of the path (IN-12)
    try:
        if query.template.sort is None:
            return _judged([ask(url, server, budget)], query, None)
        return _search(url, query, server, budget)
    except FetchError as error:
        return failed(error)


def failed(error: FetchError) -> Outcome:
    """A query that brought nothing."""
    state = error.state
    reason = AsWritten(error.reason)  # a word for those who look after the EHR: the logs have it in English too
    problem = say("was asked for at the EHR and not answered ({reason})", reason=reason)
    is_wrong = state is not PrefetchState.NOT_OFFERED
    return Outcome(Fetched(Judgement(state, problem=problem if is_wrong else None), reason=error.reason), error)


def _search(first: str, query: Query, server: FhirServer, budget: Budget) -> Outcome:
    """Follow the pages; what goes wrong after the first leaves what came before, as a part."""
    pages: list[Any] = []
    url: str | None = first
    if query.sent and (after := _next(query.sent)) and (link := below(server.base, after, first)):
        pages, url = [query.sent], link
    seen: set[str] = set()
    while url:
        seen.add(url)
        try:
            pages.append(_page(url, server, budget, is_first=not pages))
        except FetchError as error:
            if not pages:
                raise
            return _judged(pages, query, error)
        after = _next(pages[-1])
        if after is None:
            break
        url = below(server.base, after, url)
        if reason := _reason_to_stop(url, seen, pages):
            return _judged(pages, query, FetchError(reason))
    return _judged(pages, query, None)


def _page(url: str, server: FhirServer, budget: Budget, *, is_first: bool) -> Any:
    page = ask(url, server, budget)
    if not is_first and not _is_bundle(page):  # the first is judged like any answer
        raise FetchError("not-fhir")
    return page


def _is_bundle(page: Any) -> bool:
    return isinstance(page, dict) and page.get("resourceType") == "Bundle"


def _next(page: Any) -> str | None:
    links = objects(page.get("link")) if _is_bundle(page) else []
    return next((str(link.get("url", "")) for link in links if link.get("relation") == "next"), None)


def _reason_to_stop(url: str | None, seen: set[str], pages: list[Any]) -> str | None:
    if url is None:
        return "next-elsewhere"
    if url in seen:
        return "loop"
    if len(seen) >= MOST_PAGES:
        return "too-many-pages"
    return "too-many-resources" if sum(len(entries_of(page)) for page in pages) >= MOST_RESOURCES_OF_QUERY else None


def _judged(pages: list[Any], query: Query, error: FetchError | None) -> Outcome:
    """The pages as one answer, judged as if it had been sent so; if something ended it early, as a part."""
    whole = pages[0] if len(pages) == 1 and error is None else _as_one(pages)
    judgement = judge(whole, query.template.resource_type)
    reason = error.reason if error else None
    if judgement.state is PrefetchState.EMPTY and _was_not_about_the_patient(pages[0]):
        problem = say("was searched for without the patient; counted as incomplete")
        judgement = Judgement(PrefetchState.INCOMPLETE, problem=problem)
    if error and not judgement.state.brings_nothing:
        problem = say("holds only part of the results ({reason}); counted as incomplete", reason=AsWritten(error.reason))
        judgement = replace(judgement, state=PrefetchState.PAGINATED, problem=problem)
    if not judgement.state.is_answer:
        reason = reason or judgement.state.replace(" ", "-")
    parts = () if judgement.state.brings_nothing else (whole,)
    return Outcome(Fetched(judgement, parts, reason), error)


def _as_one(pages: list[Json]) -> Json:
    """One searchset without links to pages."""
    entries = [entry for page in pages for entry in entries_of(page)]
    total = {"total": pages[0]["total"]} if "total" in pages[0] else {}
    return {"resourceType": "Bundle", "type": "searchset", **total, "entry": entries}


def _was_not_about_the_patient(page: Any) -> bool:
    """Whether a server repeats our search without its patient: it has ignored the parameter, so "none" may mean anything."""
    links = objects(page.get("link")) if isinstance(page, dict) else []
    url = next((str(link.get("url", "")) for link in links if link.get("relation") == "self"), "")
    asked = {name.partition(":")[0] for name, _ in parse_qsl(url.partition("?")[2])}
    return bool(asked & {"_sort", "_count"}) and not asked & {"patient", "subject"}
