"""The parts of the page, each a table of what one group measured."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.timing import REST

_COLUMNS = 130

_PHASES = {
    "trust": "who calls (open service: the address; else the token)",
    "large_body": "wait for other calls with a large body",
    "request": "read the body, count, parse, refuse members given twice, hold the envelope against its schema",
    "fetch": "read the prefetch, and fetch what was not sent",
    "store": "what was silenced, what was told in this visit",
    "turn": "wait for the evaluation of another thread",
    "read": "FHIR to record",
    "assess": "record to assessment",
    "recommend": "assessment to recommendations: the rules",
    "cards": "recommendations to cards",
    "audit": "seal the audit record, commit it with the cards shown",
    REST: "Flask, log line, figures, dialect, writing the answer",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown.

    Args:
        head: names of the columns.
        rows: cells; a bar in one would end it.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def paragraph(text: str) -> str:
    """Words in lines of the house's length.

    Args:
        text: without line breaks that mean anything.
    """
    return textwrap.fill(" ".join(text.split()), _COLUMNS, break_long_words=False, break_on_hyphens=False) + "\n"


def item(text: str) -> str:
    """An item of a list, in such lines.

    Args:
        text: as for `paragraph`.
    """
    return textwrap.fill(f"- {text}", _COLUMNS, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")


def phases(found: Mapping[str, Any]) -> str:
    """Phases of a call, for each size of body, and what the whole of it costs."""
    sizes: Mapping[str, Any] = found["sizes"]
    names = [phase for phase in _PHASES if any(phase in one["phases ms"] for one in sizes.values())]
    by_phase = [[phase, *(_phase(one, phase) for one in sizes.values()), _PHASES[phase]] for phase in names]
    cases = next(iter(sizes.values()))["cases"]
    by_case = [[name, *(_case(one["cases"][name]) for one in sizes.values())] for name in cases]
    heads = [f"{size} resources, {one['bytes'] / 1000:,.0f} kB" for size, one in sizes.items()]
    select = found["order-select"]
    spent = ", ".join(f"{phase} {select['phases ms'][phase]:.2f}" for phase in ("read", "assess", "recommend", "cards"))
    parts = [
        paragraph(
            """Median CPU time, and in brackets how many times `orjson.loads` of the same body. “call” is the whole way of a
            patient-view call through the real application, audit record and log line included; “evaluation” is from the parsed
            call to cards; “checked parse” is parsing with what security asks for."""
        ),
        table(["", *heads], by_case),
        paragraph("The phases of the call, as `Server-Timing` says them: wall time in milliseconds (times `orjson.loads`)."),
        table(["Phase", *heads, "What"], by_phase),
        paragraph(
            f"""An order-select call of the typical body, with methotrexate drafted (cards: {select["cards"]}), takes
            {_case(select["call"])}: {spent} ms. `assess --strict`, which holds each of 250 resources against the full FHIR
            models, takes {_case(found["strict"])}."""
        ),
    ]
    return "\n".join(parts)


def _phase(size: Mapping[str, Any], phase: str) -> str:
    spent, floor = size["phases ms"].get(phase, 0.0), size["cases"]["orjson.loads"]["ms"]
    return f"{spent:.2f} ({spent / floor:.2f})"


def _case(one: Mapping[str, float]) -> str:
    return f"{one['ms']:.2f} ms ({one['ratio']:.2f})"


def http(found: Mapping[str, Any]) -> str:
    """Throughput and waits of the service and of the echo."""
    figures = ("per second", "CPU ms", "p50 ms", "p95 ms", "p99 ms")
    rows = [
        [connections, name, *(f"{one[figure]:.2f}" for figure in figures)]
        for connections, targets in found["connections"].items()
        for name, one in targets.items()
    ]
    parts = [
        paragraph(
            f"""`myositis-cds serve` with one worker, the typical body, and a load that sends the next request when the last one
            was answered, from another process of the same machine; {found["rounds"]} rounds of {found["seconds of a round"]:g} s,
            each of which visits every server."""
        ),
        table(("Connections", "Server", "Requests a second", "CPU ms per request", "p50 ms", "p95 ms", "p99 ms"), rows),
        paragraph(f"By CPU time, with 16 connections, a call costs {found['goals']['G4 by CPU']:.2f} of what the echo costs."),
    ]
    return "\n".join(parts)


def fetching(found: Mapping[str, Any]) -> str:
    """The same chart sent, and fetched."""
    rows = [
        [name, f"{one['p50 ms']:.1f}", f"{one['p99 ms']:.1f}", f"{one['CPU ms']:.2f}", f"{one['phases ms'].get('fetch', 0):.1f}"]
        for name, one in found["fetching"].items()
    ]
    parts = [
        paragraph(
            """The typical chart as prefetch, and with nothing sent, so that ten queries go to a FHIR server on the same machine
            which answers at once (`benchmarks/fhir_stub.py`): what calling back costs us, without the time that an EHR takes.
            With tokens, one connection."""
        ),
        table(("Way", "p50 ms", "p99 ms", "CPU ms per request", "of it `fetch`, wall ms"), rows),
    ]
    return "\n".join(parts)


def loading(found: Mapping[str, Any]) -> str:
    """Twice the rules, and what loading takes."""
    steps = found["loading"]["packaged"]
    rows = [[step, *(f"{one[step]:.0f}" for one in found["loading"].values())] for step in steps]
    calls = found["calls"]
    parts = [
        paragraph(
            f"""{found["rules"]["packaged"]} rules are packaged. With a copy of each ({found["rules"]["doubled"]}) a typical call
            takes {_more(calls["copies that hold for nobody"])} more where the copies are evaluated to their end and hold for
            nobody, and {_more(calls["copies that hold"])} more where they hold as the originals do, so that there is twice the
            advice too."""
        ),
        paragraph("Loading in a fresh process, milliseconds:"),
        table(("Step", *(f"{name} rules" for name in found["loading"])), rows),
    ]
    return "\n".join(parts)


def _more(one: Mapping[str, float]) -> str:
    return f"{one['ratio'] - 1:.0%}"


def start(found: Mapping[str, Any]) -> str:
    """From the command to the first card, and a reload."""
    return paragraph(
        f"""One worker, medians, wall time. Ready after {found["ready s"]:.2f} s ({found["ready CPU s"]:.2f} s of CPU time);
        `import flask` alone takes {found["import flask s"]:.2f} s ({found["import flask CPU s"]:.2f} s). The first card takes
        {found["first card ms"]:.1f} ms, later ones {found["steady card ms"]:.1f} ms. A reload (SIGHUP) takes
        {found["reload s"]:.2f} s until the new generation serves; the old one serves meanwhile."""
    )


def memory(found: Mapping[str, Any]) -> str:
    """Memory of workers."""
    requests, names = found["requests"], ("largest worker RSS MB", "largest worker PSS MB", "all processes PSS MB")
    moments = {
        "at start": "at the start",
        "after typical": f"after {requests['typical']:,} typical calls",
        "after large, as many at once as workers": f"after {requests['large'] // 4:,} large calls, as many at once as workers",
        "after large": f"after {requests['large']:,} large calls",
    }
    rows = [[words, *(f"{found[moment][name]:.0f}" for name in names)] for moment, words in moments.items()]
    grown = [
        paragraph(f"After {int(calls):,} typical calls all processes together hold {held:.0f} MB.")
        for calls, held in found.get("PSS MB", {}).items()
    ]
    said = paragraph(
        f"""{found["workers"]} workers; {found["connections"]} connections. RSS counts in each process what it shares with others,
        PSS its part of that; all processes are the supervisor, the generation and the workers."""
    )
    return "\n".join([said, table(("When", "larger worker, RSS MB", "its PSS MB", "all processes, PSS MB"), rows), *grown])


def peers(found: Mapping[str, Any]) -> str:
    """HealthChain on the same bodies."""
    rows = [
        [size, name, f"{one['CPU ms']:.2f}", f"{one['p50 ms']:.2f}", f"{one['p99 ms']:.2f}", str(one["cards"])]
        for size, servers in found["sizes"].items()
        for name, one in servers.items()
    ]
    said = paragraph(
        f"""HealthChain {found["version"]} from PyPI in an environment of its own (`benchmarks/peers.lock`), under uvicorn with
        uvloop and httptools, as its documentation shows a service for patient-view (`benchmarks/peer_service.py`), beside
        `myositis-cds serve` with one worker; one connection. Its handler answers a fixed card, or runs our engine on the JSON
        that it is given, or does so after HealthChain has made its FHIR objects of the prefetch. HealthChain checks no token,
        writes no audit record and keeps no card; the service does all of that but the token, which neither is sent."""
    )
    return "\n".join([said, table(("Resources", "Server", "CPU ms per request", "p50 ms", "p99 ms", "Cards"), rows)])


def cohort(found: Mapping[str, Any]) -> str:
    """Runs over many patients."""
    said = (
        f"`myositis-cds cohort run` over {found['patients']:,} synthetic patients of 50 resources each, on this machine: what it "
        "takes from the start to the report, and the peak of all its processes (PSS). A loop that only parses every line takes "
        f"{found['parsing CPU s']:,.0f} s. Do the others leave the bytes of the first? "
    )
    same = ", ".join(f"{name}: {'yes' if is_same else 'NO'}" for name, is_same in found["same bytes as one process"].items())
    return "\n".join([paragraph(f"{said}{same}."), _runs(found["runs"])])


def times_ten(found: Mapping[str, Any]) -> str:
    """A tenth of the patients, and all."""
    time, memory = found["goals"]["N10"], found["goals"]["N10m"]
    said = (
        f"With two processes: {time:g} times the time, of which a few seconds are the start whatever the number, and {memory:g} "
        "times the memory."
    )
    return "\n".join([paragraph(said), _runs(found["runs"])])


def _runs(runs: Mapping[str, Mapping[str, Any]]) -> str:
    figures = ("patients per second", "wall s", "CPU s", "peak MB")
    rows = [
        [name, f"{one['patients']:,}", *("–" if one[figure] is None else f"{one[figure]:,.1f}" for figure in figures)]
        for name, one in runs.items()
    ]
    return table(("Run", "Patients", "Patients a second", "Wall time, s", "CPU time, s", "Peak memory, MB"), rows)
