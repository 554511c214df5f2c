"""Every way to refuse an input, each with its number.

The texts are for the people who connect an EHR: what is wrong, where, and what to do; never a value from the request, since it
may be a patient's. The numbers are stable, so that a help desk can look them up.
"""

from collections.abc import Mapping
from typing import ClassVar


class RequestRefusedError(Exception):
    """Base of every refusal.

    Args:
        text: what is wrong and what to do, without any value from the request.
    """

    number: ClassVar[str]
    status: ClassVar[int]
    code: ClassVar[str]  # https://hl7.org/fhir/R4/valueset-issue-type.html
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, text: str) -> None:
        """Keep the text."""
        super().__init__(text)
        self.text = text

    def answer_headers(self) -> Mapping[str, str]:
        """What the answer says in headers."""
        return self.headers


class EmptyBodyError(RequestRefusedError):
    """There is no body."""

    number, status, code = "MYO-1001", 400, "required"


class NotJsonError(RequestRefusedError):
    """The body is not JSON (RFC 8259, UTF-8)."""

    number, status, code = "MYO-1002", 400, "structure"


class TooDeepError(RequestRefusedError):
    """The JSON is nested too deeply."""

    number, status, code = "MYO-1003", 400, "structure"


class BodyTooLongError(RequestRefusedError):
    """The body has too many bytes."""

    number, status, code = "MYO-1004", 413, "too-long"


class TooManyResourcesError(RequestRefusedError):
    """The body has too many resources or values."""

    number, status, code = "MYO-1005", 413, "too-costly"


class ContentTypeError(RequestRefusedError):
    """The body is not said to be JSON."""

    number, status, code = "MYO-1006", 415, "not-supported"


class ContentEncodingError(RequestRefusedError):
    """The body is compressed."""

    number, status, code = "MYO-1007", 415, "not-supported"


class RepeatedMemberError(RequestRefusedError):
    """A JSON object has a member twice."""

    number, status, code = "MYO-1008", 400, "structure"


class EnvelopeError(RequestRefusedError):
    """A member of the CDS Hooks request is missing or of the wrong kind."""

    number, status, code = "MYO-1101", 400, "structure"


class WrongHookError(RequestRefusedError):
    """The service is for another hook."""

    number, status, code = "MYO-1102", 400, "value"


class UnknownServiceError(RequestRefusedError):
    """There is no service of that id."""

    number, status, code = "MYO-1103", 404, "not-found"


class AnotherPatientError(RequestRefusedError):
    """Data of another patient is among the input (design section 4, rule 2)."""

    number, status, code = "MYO-1201", 412, "business-rule"

    def __init__(self, resources: int) -> None:
        """Keep the number.

        Args:
            resources: how many of them are another's.
        """
        super().__init__(
            "Data of another patient is among the prefetch or the draft orders, so nothing was evaluated. "
            "Every resource must name context.patientId as its subject."
        )
        self.resources = resources


class MissingInputError(RequestRefusedError):
    """What is needed to answer at all was not sent."""

    number, status, code = "MYO-1202", 412, "required"


class UnauthorisedError(RequestRefusedError):
    """There is no token, or it is not accepted; the log says why, the answer never does (conformance J-22, JWT-17)."""

    number, status, code = "MYO-1251", 401, "login"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}

    def __init__(self, reason: str) -> None:
        """Keep the reason for the log.

        Args:
            reason: one word out of a closed set.
        """
        super().__init__("Send a token that this service accepts: Authorization: Bearer, as CDS Hooks 2.0.1 describes.")
        self.reason = reason


class TrustUnavailableError(RequestRefusedError):
    """Whether a token was used before cannot be told, so it is not accepted (fail closed)."""

    number, status, code = "MYO-1252", 503, "transient"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "30"}


class TooManyRequestsError(RequestRefusedError):
    """More was asked for than one client, or one address, may ask for (threat IN-14)."""

    number, status, code = "MYO-1253", 429, "throttled"

    def __init__(self, wait: int, *, limit: float) -> None:
        """Keep the numbers.

        Args:
            wait: seconds.
            limit: requests that may be sent in a second, on average.
        """
        super().__init__("Too many requests. Wait as many seconds as Retry-After says, and then send them more slowly.")
        self.wait = wait
        self.limit = limit

    def answer_headers(self) -> Mapping[str, str]:
        """When to come back, and how often."""
        wait = str(self.wait)
        return {
            "Retry-After": wait,
            "RateLimit-Limit": f"{self.limit:g}",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": wait,
        }


class NotFhirError(RequestRefusedError):
    """The JSON is not a FHIR resource."""

    number, status, code = "MYO-1301", 400, "structure"


class WhichPatientError(RequestRefusedError):
    """The input holds several patients and it was not said which one is meant, or one that is not there."""

    number, status, code = "MYO-1302", 400, "multiple-matches"


class ParameterError(RequestRefusedError):
    """A query parameter cannot be used."""

    number, status, code = "MYO-1303", 400, "value"


class UnknownResourceError(RequestRefusedError):
    """There is no FHIR resource of that type or id."""

    number, status, code = "MYO-1304", 404, "not-found"


class NotAcceptableError(RequestRefusedError):
    """The answer is wanted in a format that is not offered."""

    number, status, code = "MYO-1305", 406, "not-supported"


class UnknownGuidelineError(RequestRefusedError):
    """There is no page of that name."""

    number, status, code = "MYO-1306", 404, "not-found"


class UnknownSchemaError(RequestRefusedError):
    """There is no schema of that name."""

    number, status, code = "MYO-1307", 404, "not-found"


class FeedbackError(RequestRefusedError):
    """The body is no feedback at all."""

    number, status, code = "MYO-1601", 400, "structure"


class TooMuchFeedbackError(RequestRefusedError):
    """There are more items in one batch than are read (FB-04)."""

    number, status, code = "MYO-1602", 413, "too-costly"


class FeedbackItemError(RequestRefusedError):
    """One item of feedback cannot be counted; the others of its batch are."""

    number, status, code = "MYO-1603", 400, "invalid"


class NotReadyError(RequestRefusedError):
    """The service is still starting."""

    number, status, code = "MYO-1901", 503, "transient"


class StoreUnavailableError(RequestRefusedError):
    """The database does not answer, and without it what was sent would be lost."""

    number, status, code = "MYO-1902", 503, "transient"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "30"}


class AuditUnavailableError(RequestRefusedError):
    """The audit record cannot be written, and without it nothing is answered (AUD-02)."""

    number, status, code = "MYO-1905", 503, "transient"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "30"}

    def __init__(self) -> None:
        """There is one text."""
        super().__init__("What is answered must be recorded, and the record could not be written just now. Try again later.")


class TooLateError(RequestRefusedError):
    """The request has waited for so long that nobody reads the answer any more (`server.serving.waited`)."""

    number, status, code = "MYO-1906", 503, "throttled"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}

    def __init__(self) -> None:
        """There is one text."""
        super().__init__("The service has more to do than it can, and the request waited too long. Try again in a moment.")
