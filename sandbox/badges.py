"""What a story is about, in a few words, for the list of patients."""

from collections.abc import Iterator

from sandbox.codes import read_codes
from sandbox.story import ConditionLine, ResultLine, Story

CHILD = 18
MOST = 4


def badges(story: Story) -> tuple[str, ...]:
    """The diagnosis, antibodies, and what decides about advice: at most four, told by the story itself."""
    told = (*_diagnosis(story), *_antibodies(story), *_circumstances(story), *_drugs(story))
    return tuple(dict.fromkeys(told))[:MOST]


def _diagnosis(story: Story) -> Iterator[str]:
    for condition in story.conditions[:1]:
        how = _how_sure(condition)
        yield f"{_text(condition.what)}{f', {how}' if how else ''}"


def _how_sure(condition: ConditionLine) -> str:
    return condition.verification if condition.verification != "confirmed" else condition.status if condition.ended else ""


def _antibodies(story: Story) -> Iterator[str]:
    for result in story.results:
        if result.what.startswith("anti_") and (found := _found(result)) != "negative":
            yield f"{_text(result.what).replace('-gamma', '-γ')} {found}"


def _found(result: ResultLine) -> str:
    above = result.range.partition("..")[2]
    is_high = result.value and above and float(result.value) > float(above)
    return result.answer or ("positive" if is_high else "negative")


def _circumstances(story: Story) -> Iterator[str]:
    yield from ("Child",) if story.age < CHILD else ()
    yield from (f"{relative.relation}: {_text(relative.what)}".capitalize() for relative in story.family)
    for condition in story.conditions[1:]:
        if condition.what in ("pregnancy", "interstitial_lung_disease", "rapidly_progressive_ild", "dysphagia"):
            yield _text(condition.what)


def _drugs(story: Story) -> Iterator[str]:
    for course in story.medications:
        if course.stopped:
            yield f"{_text(course.what).split()[0]} {course.stopped}"


def _text(key: str) -> str:
    return read_codes()[key].text
