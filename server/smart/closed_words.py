"""Words of others, only where they are one of ours: whatever else an EHR sends is not written into a log."""

from collections.abc import Iterable


def one_of(value: object, words: Iterable[str], otherwise: str) -> str:
    """The value if it is one of the words.

    Args:
        value: as it came.
        words: a closed set.
        otherwise: for anything else.
    """
    return value if isinstance(value, str) and value in words else otherwise
