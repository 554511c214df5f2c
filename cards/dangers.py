"""What speaks against treatments, in the sentence of a card: one clause to a reason, which names its drugs.

A danger is dropped last. Before it go the source, and what a bracket, a second clause or a colon adds to its reason; what still
has no room is counted.
"""

from collections.abc import Iterator, Sequence

from cards.braces import filled_in, names_in
from cards.choosing import must_be_said
from cards.markdown import before_colon, listed, more
from cards.recommendation import URGENCIES, Recommendation
from fhir_profiles.sentences import changed, join, say, say_number

_Reason = tuple[Recommendation, ...]
"""The statements that give one reason, each against drugs of its own."""

_AT_LENGTH, _FIRST_CLAUSE, _OPENING, _NAMES = range(4)


def dangers_in(said: Sequence[Recommendation]) -> list[Recommendation]:
    """What the sentence of a card names of the statements on it: of each topic the most urgent that is against a treatment.

    The most urgent stand first; equally urgent ones in the order of the rules, which weigh them no further.

    Args:
        said: what the card says.
    """
    against = sorted(filter(must_be_said, said), key=lambda r: URGENCIES.index(r.urgency))
    weightiest = {one.topic: one.urgency for one in reversed(against)}
    return [one for one in against if one.urgency == weightiest[one.topic]]


def clauses(said: Sequence[Recommendation]) -> list[tuple[str, str]]:
    """Wordings that name the dangers, each with its sources in words: those that leave out least first, then the longest.

    Args:
        said: from `dangers_in`.
    """
    wordings: list[tuple[int, str, str]] = []
    for length in (_AT_LENGTH, _FIRST_CLAUSE, _OPENING, _NAMES):
        reasons = _reasons(said, length)
        for number in range(len(reasons), 0, -1):
            named, rest = reasons[:number], [one for reason in reasons[number:] for one in reason]
            parts = [_clause(reason, length, named[:place]) for place, reason in enumerate(named)]
            sources = dict.fromkeys(one.sources[0].short for reason in named for one in reason)
            wordings.append((len(rest), _with_the_rest(_also(parts), rest), listed(list(sources))))
    return [(words, sources) for _, words, sources in sorted(wordings, key=lambda wording: wording[0])]


def contraindicated(said: Sequence[Recommendation]) -> Iterator[str]:
    """The shortest of all: names of drugs alone, where each has a stop.

    Args:
        said: from `dangers_in`.
    """
    drugs = list(dict.fromkeys(drug for one in said for drug in one.drugs if one.urgency == "urgent"))
    if not all(one.urgency == "urgent" and one.drugs for one in said):
        return
    for number in range(len(drugs), 0, -1):
        rest = [more(len(drugs) - number)] if number < len(drugs) else []
        yield say("contraindicated: {drugs}", drugs=listed([*drugs[:number], *rest]))


def counted(said: Sequence[Recommendation]) -> str:
    """How many there are, where not one of them has room.

    Args:
        said: from `dangers_in`.
    """
    return say_number("{number} warning against a treatment", "{number} warnings against a treatment", len(said))


def first_clause(text: str) -> str:
    """A text without what a bracket or a second clause adds.

    Args:
        text: in one language.
    """
    return text.split(" (")[0].split("; ")[0]


def _reasons(said: Sequence[Recommendation], length: int) -> list[_Reason]:
    together: dict[str, list[Recommendation]] = {}
    for one in said:
        together.setdefault(_reason_of(one, length), []).append(one)
    return [tuple(reason) for reason in together.values()]


def _reason_of(one: Recommendation, length: int) -> str:
    """What two statements have in common that stand in one clause."""
    if one.avoid or one.warns_unread:
        kind = "avoid" if one.avoid else "unread"
        return kind if length >= _OPENING else kind + one.says
    return one.urgency + _opening(one.cautions[0].text) if one.drugs else one.id


def _drugs_of(reason: _Reason) -> list[str]:
    return list(dict.fromkeys(drug for one in reason for drug in (*one.avoid, *one.drugs)))


def _clause(reason: _Reason, length: int, before: Sequence[_Reason]) -> str:
    """`methotrexate is being taken: contraindicated in pregnancy`; the drug once, where two reasons in a row speak against it."""
    first = reason[0]
    if first.warns_unread:
        return _unread(first, length)
    words = _against(reason, length) if _drugs_of(reason) else _shortened(first.says, min(length, _FIRST_CLAUSE))
    is_said = bool(before) and length < _NAMES and _drugs_of(reason) == _drugs_of(before[-1])
    return changed(_after_colon, words) if is_said and _drugs_of(reason) else words


def _unread(first: Recommendation, length: int) -> str:
    unread = first.missing[0].text
    if length >= _OPENING:
        return say("{unread}: one may be advised against in this disease", unread=unread)
    return join(": ", (unread, _shortened(first.says, length)))


def _against(reason: _Reason, length: int) -> str:
    """Drugs, a colon, and why not."""
    first, drugs = reason[0], listed(_drugs_of(reason))
    if first.avoid and length == _NAMES:
        return say("not recommended: {drugs}", drugs=drugs)
    if first.avoid and len({one.says for one in reason}) > 1:
        return say("{drugs}: not recommended in this disease", drugs=drugs)
    if first.avoid:
        is_whole = first.headline and set(names_in(first.headline)) <= {"avoided"}
        words = filled_in(first.headline or "", {"avoided": drugs}) if is_whole else join(": ", (drugs, first.says))
        return changed(first_clause if length else _without_bracket, words)
    is_one = len(reason) == 1
    about = before_colon(first.says) if is_one and length < _OPENING else drugs
    return join(": ", (about, _shortened(first.cautions[0].text, length if is_one else _OPENING)))


def _shortened(text: str, length: int) -> str:
    if length == _AT_LENGTH:
        return text
    return changed(first_clause if length == _FIRST_CLAUSE else _opening, text)


def _also(parts: Sequence[str]) -> str:
    return say("{says}; also {more}", says=parts[0], more=join("; ", parts[1:])) if len(parts) > 1 else parts[0]


def _with_the_rest(words: str, rest: Sequence[Recommendation]) -> str:
    """What has no room is counted."""
    number = len(rest)
    if not number:
        return words
    if all(one.urgency == "urgent" for one in rest):
        return say("{says}, and {more}", says=words, more=say_number("{number} more stop", "{number} more stops", number))
    return say("{says}, and {more}", says=words, more=say_number("{number} more warning", "{number} more warnings", number))


def _without_bracket(text: str) -> str:
    return text.split(" (")[0]


def _after_colon(text: str) -> str:
    return text.partition(": ")[2]


def _opening(text: str) -> str:
    return before_colon(first_clause(text))
