"""Which tokens were used, so that each is accepted once only (JWT-14, conformance J-17)."""

from hashlib import sha256
from time import time

from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from server.store.deleting import delete_some
from server.store.restored import may_have_been_used, restored_at
from server.store.tables import used_tokens
from server.store.transactions import transaction

GRACE_SECONDS = 300
"""So long an expired token is kept: the clocks of the machines that share a database may differ."""

_SWEEPS = "0"  # the first digit of the hashes with which the table is swept: one in sixteen
_SWEPT = 48  # three times as many as are added meanwhile, so that the table does not grow; few enough not to be felt

# Built once: every call is let in with it.
_ADD = insert(used_tokens).returning(restored_at())  # one exchange with the database, not two


def remember(engine: Engine, issuer: str, jti: str, expires_at: int, issued_at: float) -> bool:
    """Whether a token is used for the first time; from then on it is not.

    To be called after the signature was verified and before anything else is done (JWT-15). Of several processes that ask at once
    exactly one hears yes, since the primary key decides. Tokens that have expired go, a few now and then. A token from before the
    database was put back from a backup counts as used: nobody knows any more.

    Args:
        engine: the database.
        issuer: `iss`; each has its own tokens.
        jti: any text.
        expires_at: from when on the token is refused anyway, in seconds since 1970.
        issued_at: `iat`, in seconds since 1970.

    Raises:
        StoreError: it cannot be told, so the token must not be accepted (DB-02).
    """
    digest = sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        with transaction(engine) as connection:
            restored = connection.execute(_ADD, {"issuer": issuer, "jti": digest, "expires_at": expires_at}).scalar()
            if digest.startswith(_SWEEPS):
                delete_some(connection, used_tokens, used_tokens.c.expires_at < int(time()) - GRACE_SECONDS, _SWEPT)
    except IntegrityError:
        return False
    return not may_have_been_used(issued_at, restored)
