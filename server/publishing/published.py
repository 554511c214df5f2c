"""Answers that are the same for everybody and may be kept: the knowledge, as FHIR and as pages."""

from dataclasses import dataclass
from hashlib import sha256

from flask import Response, request

_KEEP = "public, max-age=300, must-revalidate"


@dataclass(frozen=True, slots=True)
class Published:
    """One answer, made once.

    Args:
        body: as it goes over the wire.
        content_type: its media type.
        etag: tells one content from another.
    """

    body: bytes
    content_type: str
    etag: str


def published(body: bytes, content_type: str) -> Published:
    """An answer with its entity tag, a hash of the body."""
    return Published(body, content_type, sha256(body).hexdigest()[:24])


def publish(content: Published) -> Response:
    """Answer the current request, or say that the caller's copy is still good (304)."""
    response = Response(content.body, content_type=content.content_type)
    response.set_etag(content.etag)
    response.headers["Cache-Control"] = _KEEP
    response.make_conditional(request)
    return response
