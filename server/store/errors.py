"""What can go wrong with the database while the service runs."""


class StoreError(RuntimeError):
    """The database did not do what it was asked: unreachable, too slow, locked, full or read-only.

    Whoever needed it for a decision decides as if the answer were the worst one (fail closed, DB-02). The text names no value.
    """
