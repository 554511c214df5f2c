"""When this database was last put back from a backup: what was used between the two, it has forgotten."""

from sqlalchemy import ScalarSelect, select

from server.store.tables import installation

MARK = "restored at"
"""The row of `installation` that says so, in seconds since 1970; none where it never was."""

CLOCKS_SECONDS = 60
"""The clock of whoever issued a token may be so far ahead of ours."""


def restored_at() -> ScalarSelect[str]:
    """The moment, as a part of another statement."""
    return select(installation.c.value).where(installation.c.name == MARK).scalar_subquery()


def may_have_been_used(issued_at: float, restored: str | None) -> bool:
    """Whether a token was issued before the restore, as far as clocks tell.

    Args:
        issued_at: `iat`, seconds since 1970.
        restored: what `restored_at` came to.
    """
    return restored is not None and issued_at < int(restored) + CLOCKS_SECONDS
