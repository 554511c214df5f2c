"""Connections of waitress with deadlines, and with answers that say when the server ends (threats IN-07, PR-02).

Waitress itself ends connections on which nothing happens; a client that sends one byte a second would be kept for ever. A thread
is taken only by a request that has come in whole, so that slow clients take up connections, and no threads.
"""

import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error

from server.error_answers import FHIR_JSON, outcome_of_status
from server.serving.waited import WAITED

HEAD_SECONDS = 10.0
"""A request line and its headers, from the first byte; of a new connection, from its opening."""

REQUEST_SECONDS = 30.0
"""A whole request, from the first byte."""

ANSWER_SECONDS = 30.0
"""Taking what was answered: so long may something of it wait in our memory. An answer that waits may hold a thread."""

FIRST_WORD_SECONDS = 1.0
"""From the opening of a connection to its first byte, where the service ends meanwhile: whoever connected did so to ask."""

IDLE_SECONDS = 75
"""Between two requests. Longer than a proxy keeps a connection to us, so that it never writes into one that is being closed."""


class _RequestTimeoutError(Error):
    code = 408
    reason = "Request Timeout"


class _Task(WSGITask):
    channel: "Channel"

    def get_environment(self) -> dict[str, Any]:
        """As waitress makes it, and how long the request has waited."""
        return super().get_environment() | {WAITED: time.monotonic() - self.channel.whole_at}

    def build_response_header(self) -> bytes:
        if getattr(self.channel.server, "is_ending", False):
            self.set_close_on_finish()
        return super().build_response_header()


class _OutcomeTask(ErrorTask):
    """Answers what waitress refuses by itself (malformed HTTP, far too long) as the application would: an OperationOutcome."""

    def execute(self) -> None:
        """Write the answer and close the connection."""
        refusal: Error = self.request.error  # type: ignore[attr-defined]  # the stubs take the request for an Error
        body = outcome_of_status(refusal.code)
        self.status = f"{refusal.code} {refusal.reason}"
        self.response_headers = [("Content-Type", FHIR_JSON), ("Cache-Control", "no-store")]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    """Refuses what a server before us may have taken for another message than we would (RFC 9112, 5.2, 6.1 and 6.3; IN-08)."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the request line and the headers.

        Raises:
            ParsingError: a folded header, or more than one word about where the body ends.
        """
        first, *fields = header_plus.split(b"\r\n")
        if any(field.startswith((b" ", b"\t")) for field in fields):
            raise ParsingError("a header goes on in the next line")
        names = [field.partition(b":")[0].strip().lower() for field in fields]
        lengths = names.count(b"content-length"), names.count(b"transfer-encoding")
        if sum(lengths) > 1 or (lengths[1] and not first.rstrip().endswith(b"HTTP/1.1")):
            raise ParsingError("where the body ends is said twice, or in a way that this version of HTTP does not know")
        if any(b"," in field for name, field in zip(names, fields, strict=True) if name == b"transfer-encoding"):
            raise ParsingError("more than one transfer coding")
        super().parse_header(header_plus)


class Channel(HTTPChannel):
    """One connection."""

    parser_class = _Parser
    task_class = _Task
    error_task_class = _OutcomeTask
    requests: list[HTTPRequestParser]
    _has_asked = False
    _waits_since: float | None = None
    whole_at = 0.0
    """When the newest request had come in; the next one is not read before this one is answered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As waitress does it."""
        super().__init__(*args, **kwargs)
        self._begun = time.monotonic()

    def received(self, data: bytes) -> bool:
        """Take in bytes, and remember when the request that they are part of began."""
        before, self.whole_at = self.request, time.monotonic()  # before another thread may take it
        result = super().received(data)
        self._has_asked = self._has_asked or self.request is None
        if self.request is not before:
            self._begun = time.monotonic()
        return result

    @property
    def is_idle(self) -> bool:
        """Whether no request is on its way in, none is being answered and no answer is on its way out."""
        if self.request is not None or self.requests or self.total_outbufs_len:
            return False
        return self._has_asked or time.monotonic() > self._begun + FIRST_WORD_SECONDS

    def end_if_overdue(self) -> None:
        """End the connection of a client that takes too long: with 408 where it sends, without a word where it does not."""
        now = time.monotonic()
        if self.total_outbufs_len:
            self._waits_since = self._waits_since or now
            if now > self._waits_since + ANSWER_SECONDS:
                self.handle_close()  # at once: waitress itself would first wait until something can be written
            return
        self._waits_since = None
        if self.requests:  # they are ours to answer
            return
        if self.request is not None:
            if now > self._begun + (REQUEST_SECONDS if self.request.headers_finished else HEAD_SECONDS):
                self._refuse(self.request)
        elif not self._has_asked:
            self.will_close = self.will_close or now > self._begun + HEAD_SECONDS

    def _refuse(self, request: HTTPRequestParser) -> None:
        """Called in the thread that also reads, so that nothing more of the request can come in meanwhile."""
        if not request.headers_finished:
            request.parse_header(b"GET / HTTP/1.0\r\n")  # what was to be asked is not known
        request.error = _RequestTimeoutError("")
        request.completed = True
        self.request = None
        self.requests.append(request)
        self.server.add_task(self)  # type: ignore[arg-type]  # a channel is a task
