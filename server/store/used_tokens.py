"""Tokens that were used: each is accepted once (conformance J-17)."""

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from server.store.errors import StoreError
from server.store.tables import used_tokens


def remember(engine: Engine, issuer: str, jti: str, expires_at: int) -> bool:
    """Remember a token.

    Args:
        engine: the database.
        issuer, jti: of the token.
        expires_at: seconds since 1970; from then on it may be forgotten.

    Returns:
        Whether it is new.

    Raises:
        StoreError: it cannot be told.
    """
    try:
        with engine.begin() as connection:
            connection.execute(used_tokens.insert().values(issuer=issuer, jti=jti, expires_at=expires_at))
    except IntegrityError:
        return False
    except SQLAlchemyError as error:
        raise StoreError("the used tokens cannot be read") from error
    return True
