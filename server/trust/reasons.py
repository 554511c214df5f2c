"""Why a call is not let in: one word for the log, never a word for the caller (conformance J-22, threat JWT-17)."""

from enum import StrEnum


class Reason(StrEnum):
    """The closed set of reasons, in the order in which they are looked for."""

    NOT_THIS_MACHINE = (
        "not-this-machine"  # an open service, and the caller is elsewhere, or calls through a proxy or by another name
    )
    NO_TOKEN = "no-token"  # noqa: S105 - a word of ours
    NOT_BEARER = "not-bearer"  # another scheme, several headers, or not three base64url parts
    TOO_LONG = "too-long"
    HEADER = "header"  # not JSON, or a header parameter that is missing, of the wrong kind or not supported
    CLAIMS = "claims"  # not JSON, or a claim that is missing or of the wrong kind
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    LIFE = "life"
    TENANT = "tenant"
    ALGORITHM = "algorithm"
    JWK_SET_URL = "jwk-set-url"
    UNKNOWN_KEY = "unknown-key"
    AMBIGUOUS_KEY = "ambiguous-key"
    PUBLISHED_KEY = "published-key"
    SIGNATURE = "signature"
    REPLAYED = "replayed"
