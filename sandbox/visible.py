"""Text of a chart or of a card as it may be shown."""

import unicodedata


def visible(text: str) -> str:
    """The text without control, format, private and surrogate characters, that hide or reverse what stands beside them (CARD-03).

    Args:
        text: from anywhere; its line breaks stay, other white space becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter == "\n" else " " if letter.isspace() else letter for letter in text if _shows(letter))


def _shows(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs")
