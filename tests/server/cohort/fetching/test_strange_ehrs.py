"""EHRs that answer in ways that no sandbox would: no token goes elsewhere, nothing wrong is kept, and each trouble is said."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey

from server.cohort.fetching import download, export_job
from server.cohort.fetching.command import fetch
from tests.server.cohort.fetching.conftest import write_private
from tests.server.cohort.fetching.stub import PATIENTS, Stub, manifest, outcome, serving, token

FILE = "Patient.0001.ndjson"


class Fetching:
    """The command, at a stub."""

    def __init__(self, stub: Stub, folder: Path) -> None:
        self.stub, self.out, self.key = stub, folder / "export", folder / "key.json"
        write_private(self.key, json.dumps(ECKey.generate_key("P-384").as_dict(private=True)))

    def __call__(self, *more: str) -> Result:
        given = [self.stub.base, "--out", str(self.out), "--client-id", "we", "--key", str(self.key), *more]
        result = CliRunner().invoke(fetch, given)
        assert "canary" not in result.output.lower()  # neither tokens nor what an OperationOutcome says
        kept = self.out / "export.json"
        assert not kept.exists() or "canary" not in kept.read_text("utf-8").lower()
        return result

    def done(self, *more: str) -> Result:
        result = self(*more)
        assert (result.exit_code, result.exception) == (0, None), result.output
        assert (self.out / FILE).read_bytes() == PATIENTS
        return result

    def stopped(self, *said: str, code: int = 1) -> Result:
        result = self()
        assert result.exit_code == code, result.output
        assert [one for one in said if one not in result.stderr] == [], result.stderr
        return result


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Stub]:
    """Another server, that gives the file to anybody."""
    with serving() as running:
        yield running


@pytest.fixture
def fetching(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetching:
    monkeypatch.setattr(export_job, "_SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(export_job, "_LONGEST_OWN_PAUSE", 0.01)
    return Fetching(stub, tmp_path)


def test_an_ehr_that_does_as_it_should_is_asked_what_is_needed(fetching: Fetching, stub: Stub) -> None:
    fetching.done()
    (asked,) = stub.to("/fhir/Patient/$export")
    assert asked.path.endswith("?_outputFormat=application%2Ffhir%2Bndjson&_type=Patient")  # what it has of what we read
    assert (asked.headers["Prefer"], asked.headers["Accept"]) == ("respond-async", "application/fhir+json")
    (sent,) = (one.form for one in stub.to("/token"))
    assert (sent["grant_type"], sent["scope"]) == ("client_credentials", "system/Patient.rs")
    assert "Authorization" not in stub.to("/fhir/metadata")[0].headers
    assert stub.to("/files/1")[0].headers["Accept-Encoding"] == "gzip"
    assert not [one for one in stub.asked if "Cookie" in one.headers]


def test_nothing_is_taken_from_the_environment(fetching: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login stolen password secret\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetching.done()
    assert not [one for one in fetching.stub.asked if one.headers.get("Authorization", "Bearer").startswith("Basic")]


# --- elsewhere


def test_a_status_elsewhere_is_not_asked(fetching: Fetching, stub: Stub, elsewhere: Stub) -> None:
    stub.say("GET", "/fhir/Patient/$export", (202, {"Content-Location": f"{elsewhere.origin}/status"}, {}))
    fetching.stopped(elsewhere.origin)
    assert elsewhere.asked == []
    stub.say("GET", "/fhir/Patient/$export", (202, {}, {}))
    fetching.stopped("Content-Location")


def test_a_status_may_be_named_from_the_root(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/fhir/Patient/$export", (202, {"Content-Location": "/status"}, {}))
    fetching.done()


@pytest.mark.parametrize("needs_token", [True, False])
def test_files_elsewhere_are_fetched_where_that_was_declared_and_only_then(
    fetching: Fetching, stub: Stub, elsewhere: Stub, needs_token: bool
) -> None:
    stub.say("GET", "/status", manifest(f"{elsewhere.origin}/files/1?signature=a%2Fb", requiresAccessToken=needs_token))
    fetching.stopped(elsewhere.origin, "--file-origin")
    assert elsewhere.asked == []
    fetching.done("--file-origin", elsewhere.origin)
    (asked,) = elsewhere.asked
    assert asked.path == "/files/1?signature=a%2Fb"
    assert asked.token == ("canary-one" if needs_token else None)


def test_a_file_without_a_token_is_asked_for_without_one(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", manifest("files/1", requiresAccessToken=False))
    fetching.done()
    assert stub.to("/files/1")[0].token is None


@pytest.mark.parametrize("path", ["/fhir/.well-known/smart-configuration", "/fhir/Patient/$export", "/status", "/files/1"])
def test_no_redirect_is_followed(fetching: Fetching, stub: Stub, elsewhere: Stub, path: str) -> None:
    stub.say("GET", path, (307, {"Location": f"{elsewhere.origin}{path}"}, b""))
    fetching.stopped("redirects")
    assert elsewhere.asked == []


def test_a_token_endpoint_that_is_not_safe_is_not_used(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/fhir/.well-known/smart-configuration", (200, {}, {"token_endpoint": "http://token.example/"}))
    fetching.stopped("names no token endpoint over https", "--token-url")


# --- tokens


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, {}, {"error": "invalid_client"}), "public key"),
        ((400, {}, {"error": "invalid_scope"}), "--scope"),
        ((400, {}, {"error": "canary"}), "HTTP 400"),
        ((500, {}, b"<html>canary"), "HTTP 500"),
        ((200, {}, b"canary"), "HTTP 200"),
        (token("a\nX-Injected: yes"), "none of the type Bearer"),
        (token("a", token_type="DPoP"), "none of the type Bearer"),
        (token("a", access_token=None), "none of the type Bearer"),
    ],
)
def test_a_token_endpoint_that_gives_none_is_said(fetching: Fetching, stub: Stub, answer: Any, said: str) -> None:
    stub.say("POST", "/token", answer)
    fetching.stopped("/token", said)


def test_a_token_that_is_refused_at_once_is_asked_for_once_more_and_no_more(fetching: Fetching, stub: Stub) -> None:
    stub.say("POST", "/token", token("one"), token("two"))
    stub.say("GET", "/status", (401, {}, {}))
    fetching.stopped("only just given")
    assert [one.token for one in stub.to("/status")] == ["canary-one", "canary-two"]
    stub.say("GET", "/status", manifest(f"{stub.origin}/files/1"))
    stub.say("GET", "/files/1", (401, {}, {}))
    fetching.stopped("only just given")


def test_scopes_are_spelled_as_the_ehr_knows_them(fetching: Fetching, stub: Stub) -> None:
    said = {"token_endpoint": "/token", "capabilities": ["permission-v1"]}
    stub.say("GET", "/fhir/.well-known/smart-configuration", (200, {}, said))
    stub.say("POST", "/token", token("one", scope="system/Patient.read"))
    fetching.done()
    assert stub.to("/token")[0].form["scope"] == "system/Patient.read"


def test_without_a_capability_statement_all_types_are_asked_for(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/fhir/metadata", (500, {}, b""))
    fetching.done()
    assert "_type=Patient,Condition," in stub.to("/fhir/Patient/$export")[0].path


# --- kick-off and status


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "--type"), (403, "scopes and groups"), (404, "FHIR_BASE"), (422, "Ask the team"), (200, "Ask the team")],
)
def test_an_export_that_is_not_begun_is_said(fetching: Fetching, stub: Stub, status: int, said: str) -> None:
    stub.say("GET", "/fhir/Patient/$export", (status, {}, outcome("business-rule")))
    fetching.stopped(f"HTTP {status}, business-rule", said)
    assert fetching.stub.to("/status") == []


def test_an_ehr_with_too_much_to_do_is_waited_for(fetching: Fetching, stub: Stub) -> None:
    begun = (202, {"Content-Location": "/status"}, {})
    stub.say("GET", "/fhir/Patient/$export", (429, {"Retry-After": "0"}, {}), (503, {"Retry-After": "0"}, {}), begun)
    trouble = [(503, {"Retry-After": "0"}, {}), (500, {}, outcome("transient")), (502, {}, b""), (202, {}, b"")]
    stub.say("GET", "/status", *trouble, manifest("/files/1"))
    fetching.done()
    assert [one.method for one in stub.to("/status")] == ["GET"] * 5 + ["DELETE"]


def test_an_ehr_that_is_never_there_is_given_up_and_gone_on_with(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", (503, {}, outcome("timeout")))
    fetching.stopped("HTTP 503, timeout, 8 times in a row")
    stub.say("GET", "/status", manifest("/files/1"))
    assert "going on" in fetching.done().stderr


def test_a_pause_beyond_our_patience_is_not_made(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", (202, {"Retry-After": "99999999"}, b""))
    result = fetching("--wait", "30")
    assert (result.exit_code, "30 minutes (--wait)" in result.stderr) == (1, True)


def test_what_an_ehr_says_of_its_progress_cannot_play_with_the_terminal(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", (202, {"X-Progress": "\x1b[2J50% \x07done" + "!" * 999}, b""), manifest("/files/1"))
    result = fetching.done()
    assert "working on it: 2J50% done" in result.stderr
    assert not {"\x1b", "\x07"} & set(result.stderr)


@pytest.mark.parametrize(
    "said",
    [
        {"output": None},
        {"output": [{"type": "Patient"}]},
        {"output": [{"type": "../../etc/passwd", "url": "/files/1"}]},
        {"output": ["/files/1"]},
        {"error": {"type": "OperationOutcome"}},
        {"link": [{"relation": "next", "url": "/status/2"}]},
        {"output": [{"type": "Patient", "url": "file:///etc/passwd"}]},
        {"output": [{"type": "Patient", "url": "//[x"}]},
        {"output": [{"type": "Patient", "url": "https://user@127.0.0.1/"}]},
    ],
)
def test_a_manifest_that_is_none_is_not_followed(fetching: Fetching, stub: Stub, said: dict[str, Any]) -> None:
    stub.say("GET", "/status", manifest("/files/1", **said))
    fetching.stopped("/status")
    assert stub.to("/files/1") == []


# --- files


def test_a_packed_file_is_unpacked(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/files/1", (200, {"Content-Encoding": "gzip"}, gzip.compress(PATIENTS)))
    fetching.done()


def test_a_packed_file_that_breaks_off_is_gone_on_with_unpacked(fetching: Fetching, stub: Stub) -> None:
    packed = gzip.compress(PATIENTS, 0)  # stored, so that some of it can be unpacked
    have, length = len(zlib.decompressobj(31).decompress(packed[:-20])), len(PATIENTS)
    assert 0 < have < length
    cut = {"Content-Encoding": "gzip", "Content-Length": str(len(packed)), "ETag": '"a"'}
    rest = (206, {"Content-Range": f"bytes {have}-{length - 1}/{length}", "ETag": '"a"'}, PATIENTS[have:])
    stub.say("GET", "/files/1", (200, cut, packed[:-20]), rest)
    fetching.done()
    asked = stub.to("/files/1")[1].headers
    assert (asked["Range"], asked["If-Range"], asked["Accept-Encoding"]) == (f"bytes={have}-", '"a"', "identity")


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Encoding": "br"}, PATIENTS),
        (200, {"Content-Encoding": "gzip"}, PATIENTS),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(PATIENTS)[:-9]),
        (200, {"Content-Length": "999"}, PATIENTS),
        (206, {"Content-Range": "bytes 5-9/10"}, PATIENTS),
        (416, {}, b""),
        (500, {}, outcome("exception")),
        (200, {}, PATIENTS[:-20]),
        (200, {}, PATIENTS + PATIENTS),
        (200, {}, b"[1,\n2]"),
        (200, {}, b""),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_not_kept(fetching: Fetching, stub: Stub, answer: Any) -> None:
    stub.say("GET", "/files/1", answer)
    fetching.stopped(FILE)
    assert not (fetching.out / FILE).exists()


def test_without_a_count_a_file_has_to_end_like_one(fetching: Fetching, stub: Stub) -> None:
    said = {"output": [{"type": "Patient", "url": "/files/1"}]}
    stub.say("GET", "/status", manifest(**said))
    stub.say("GET", "/files/1", (200, {}, PATIENTS[:-20]))
    fetching.stopped("broke off in the middle of a line")
    stub.say("GET", "/files/1", (200, {}, PATIENTS))
    fetching.done()


def test_a_part_of_another_version_is_not_joined(fetching: Fetching, stub: Stub) -> None:
    half = (200, {"Content-Length": str(len(PATIENTS)), "ETag": '"a"'}, PATIENTS.replace(b"one", b"xxx")[:50])
    stub.say("GET", "/files/1", half, (200, {"ETag": '"b"'}, PATIENTS))
    fetching.done()
    assert stub.to("/files/1")[1].headers["If-Range"] == '"a"'


@pytest.mark.parametrize("tag", ['W/"a"', "a", ""])
def test_what_no_strong_tag_names_begins_again(fetching: Fetching, stub: Stub, tag: str) -> None:
    half = (200, {"Content-Length": str(len(PATIENTS)), "ETag": tag}, PATIENTS[:50])
    stub.say("GET", "/files/1", half, (200, {}, PATIENTS))
    fetching.done()
    assert "Range" not in stub.to("/files/1")[1].headers


def test_an_address_that_has_expired_is_asked_for_anew(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", manifest("/files/1?old"), manifest("/files/2?new"))
    stub.say("GET", "/files/1", (403, {}, b"Request has expired"))
    stub.say("GET", "/files/2", (200, {}, PATIENTS))
    fetching.done()


def test_another_export_at_the_same_place_is_not_mixed_in(fetching: Fetching, stub: Stub) -> None:
    stub.say("GET", "/status", manifest("/files/1"), manifest("/files/1", transactionTime="2026-11-23T08:00:00Z"))
    stub.say("GET", "/files/1", (404, {}, outcome("not-found")))
    fetching.stopped("lists other files")


def test_a_file_without_end_is_given_up(fetching: Fetching, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    bomb = gzip.compress(bytes(5_000_000), 1)
    stub.say("GET", "/files/1", (200, {"Content-Encoding": "gzip"}, bomb))
    fetching.stopped("longer than")
    assert (fetching.out / f"{FILE}.part").stat().st_size < 1_000_000


def test_a_folder_that_cannot_be_written_is_said(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_write", full)
    fetching.stopped("No space left on device", FILE)
    fetching.out = Path("/proc/export")
    fetching.stopped("cannot be used as a folder")


def test_messages_of_the_ehr_are_counted_and_not_repeated(fetching: Fetching, stub: Stub) -> None:
    lines = b"\n".join([json.dumps(outcome("exception", "timeout")).encode(), b"{}", b"no json"])
    said = manifest("/files/1", error=[{"type": "OperationOutcome", "url": "/files/errors"}])
    stub.say("GET", "/status", said)
    stub.say("GET", "/files/errors", (200, {}, lines + b"}"))
    fetching.stopped("error 4", "--incomplete TYPE", "_errors")
    assert (fetching.out / FILE).read_bytes() == PATIENTS
