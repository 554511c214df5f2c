"""Days and numbers as a language writes them, by the tables of Unicode's CLDR that Babel brings."""

from datetime import date
from functools import cache, lru_cache

from babel.dates import format_date, format_skeleton
from babel.numbers import get_decimal_symbol, get_group_symbol

from fhir_profiles.dates import DateInterval
from fhir_profiles.sentences import say


class Written:
    """A number in a pattern, which may say how to format it (`{dose:g}`): Python does that, the language sets the marks.

    Args:
        number: of any kind.
        language: that it is written in.
    """

    __slots__ = ("_marks", "_number")

    def __init__(self, number: float, language: str) -> None:
        self._number = number
        self._marks = _marks(language)

    def __format__(self, how: str) -> str:
        """The number with the language's own marks."""
        return format(self._number, how).translate(self._marks)


@cache
def _marks(language: str) -> dict[int, str]:
    return {ord("."): get_decimal_symbol(language), ord(","): get_group_symbol(language)}


@lru_cache(maxsize=4096)
def day_in_words(days: DateInterval, language: str) -> str:
    """A day, month or year as precisely as it is known; a sentence where it is only known to lie between two days."""
    if days.precision == "day":
        return _day(days.first, language)
    if days.precision == "month":
        return str(format_skeleton("yMMMM", days.first, locale=language))
    if days.precision == "year":
        return str(days.first.year)
    return say("between {first} and {last}", first=_day(days.first, language), last=_day(days.last, language))


def _day(day: date, language: str) -> str:
    return str(format_date(day, "long", locale=language))
