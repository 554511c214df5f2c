"""The connection on which these tests speak to a running service: no answer passes unchecked."""

from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple

from tests.server.answers import check_exchange


class Answer(NamedTuple):
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class CheckedConnection(HTTPConnection):
    """A connection to a service on this machine; each answer is held against the contract as it is read."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        super().__init__("127.0.0.1", port, timeout=timeout)
        self._asked = ("", "")

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Begin a request."""
        self._asked = (method, url)
        super().putrequest(method, url, *args, **kwargs)

    def answer(self) -> Answer:
        """Read the answer and check it."""
        answer = self.unchecked_answer()
        self.check(answer)
        return answer

    def unchecked_answer(self) -> Answer:
        """Read the answer; for who has no time and gives it to `check` later."""
        response = self.getresponse()
        return Answer(response.status, response.headers, response.read())

    def check(self, answer: Answer) -> None:
        """Assert what holds for the answer to any request."""
        check_exchange(*self._asked, *answer)
