"""Observation: what was measured, and what the laboratory said about it (phenotypes.md section 1, rules 4 and 5)."""

from dataclasses import replace
from typing import NamedTuple

from fhir_profiles.chart import Chart, Coded
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element, Json, as_number, codes_of, objects
from fhir_profiles.identity import Whose
from fhir_profiles.phrases import parse_answer
from fhir_profiles.quantities import Measure, convert, measure_of, parse_number, unit_key
from fhir_profiles.record import Quantity, Result
from fhir_profiles.sentences import AsWritten, say
from fhir_profiles.systems import OBSERVATION_INTERPRETATION

_COUNTED = frozenset({"final", "amended", "corrected", "preliminary"})
_IGNORED = frozenset({"registered", "cancelled", "entered-in-error"})

_ANSWERS = {"answer_positive": "positive", "answer_negative": "negative", "answer_borderline": "borderline"}
_LEVELS = {
    "interpretation_high": "high",
    "interpretation_low": "low",
    "interpretation_abnormal": "abnormal",
    "interpretation_normal": "normal",
}
_ANSWER_OF_LEVEL = {"high": "positive", "abnormal": "positive", "normal": "negative"}
_VALUES = frozenset(
    (
        "valueQuantity",
        "valueCodeableConcept",
        "valueString",
        "valueBoolean",
        "valueInteger",
        "valueRange",
        "valueRatio",
        "valueSampledData",
        "valueTime",
        "valueDateTime",
        "valuePeriod",
    )
)
_COMPARATORS = (None, "<", "<=", ">=", ">")
_NORMAL_RANGE = {"normal", "recommended"}
_SOMEBODY_ELSES = (Whose.ANOTHERS, Whose.SET_ASIDE, Whose.NOT_A_PERSON)
_NO_UNIT = (None, None)
_NOT_RECOGNISED = say("unit not recognised, not evaluated")


class Value(NamedTuple):
    """What one value[x] says.

    Args:
        quantity: a number, in the unit that we compute with.
        factor: by which the number was converted.
        unit_as_sent: code and text of its unit.
        answer: positive, negative or borderline.
        concepts: concepts of a coded value.
    """

    quantity: Quantity | None = None
    factor: float = 1.0
    unit_as_sent: tuple[object, object] = (None, None)
    answer: str | None = None
    concepts: tuple[str, ...] = ()


_NOTHING = Value()


def read_observation(observation: Element, chart: Chart, taken: DateInterval | None = None) -> None:
    """File an Observation, its components and the members that it contains under `results`.

    Args:
        observation: the Observation.
        chart: where to file it.
        taken: when it was taken, if a contained one leaves that to the resource around it.
    """
    code = chart.coded(observation, "code")
    parts = _components(observation, chart) if "component" in observation.content else []
    members = contained_observations(observation, "hasMember", chart)
    is_irrelevant = code.is_irrelevant
    if is_irrelevant and not parts and not members:
        return
    if not chart.counted_status(observation, _COUNTED, _IGNORED) or not _is_about_patient(observation, chart):
        return
    when = observation.time("effective") or observation.date("issued") or taken
    if chart.is_future(observation, when):
        return
    if not is_irrelevant and chart.has_code(observation, code):
        _file(observation, code, when, chart)
    for part, part_code in parts:
        if chart.is_sound(part) and chart.has_code(part, part_code):
            _file(part, part_code, when, chart)
    for member in members:
        read_observation(member, chart, when)


def contained_observations(resource: Element, field: str, chart: Chart) -> list[Element]:
    """The patient's Observations that a resource contains and lists under `field`; contained ones contain no more."""
    if resource.path or "contained" not in resource.content:
        return []
    members = []
    for reference in objects(resource.content.get(field)):
        text = reference.get("reference")
        if isinstance(text, str) and text.startswith("#"):
            member = chart.identity.collection.find(text, resource)
            if member and member.type == "Observation" and _is_the_patients(member, chart):
                members.append(member)
    return members


def _is_the_patients(member: Element, chart: Chart) -> bool:
    """A contained Observation is the patient's, as what contains it is, unless it says otherwise."""
    owner = chart.identity.owner(member)
    if owner is Whose.UNCLEAR:
        chart.lose(member, "subject", say("cannot be told; not used"))
    return owner in (None, Whose.OURS)


def _components(observation: Element, chart: Chart) -> list[tuple[Element, Coded]]:
    """Components that are ours, or of which it cannot be told."""
    parts = ((part, chart.coded(part, "code")) for part in observation.children("component"))
    return [(part, code) for part, code in parts if not code.is_irrelevant]


def _is_about_patient(observation: Element, chart: Chart) -> bool:
    """Not about somebody or something else in the patient's chart, such as a donor, a fetus or an implant (SAF-04)."""
    content = observation.content
    if focus := content.get("focus"):
        references = objects(focus)
        if not references or any(chart.identity.whose(one, observation) is not Whose.OURS for one in references):
            observation.report("focus", say("is not the patient; the resource was set aside"))
            return False
    for reference in objects(content["specimen"]) if "specimen" in content else ():
        text = reference.get("reference")
        specimen = chart.identity.collection.find(text, observation) if isinstance(text, str) else None
        if specimen and chart.identity.owner(specimen) in _SOMEBODY_ELSES:
            observation.report("specimen", say("is not the patient's; the resource was set aside"))
            return False
    return True


def _file(element: Element, code: Coded, when: DateInterval | None, chart: Chart) -> None:
    content = element.content
    said, level = _interpretation(element, chart) if "interpretation" in content else (None, None)
    names = [name for name in content if name in _VALUES]
    if not names and not said and not level and not content.keys().isdisjoint(("component", "hasMember", "dataAbsentReason")):
        return  # the heading of a panel, or a test that gave no result
    measure = measure_of(code.concepts)
    value = _value(element, names, measure, chart) if names else _NOTHING
    low, high = _reference_range(element, value, measure) if value.quantity else (None, None)
    result = Result(
        reference=element.reference,
        concepts=code.concepts,
        when=when,
        matched_by_text=code.by_text,
        quantity=value.quantity,
        low=low,
        high=high,
        answer=_agree(element, said, value.answer) if said else value.answer,
        interpretation=level,
        answer_concepts=value.concepts,
    )
    if result.answer is None and measure is None:
        result = replace(result, answer=_answer_by_range(result))
    chart.results.append(result)


def _answer_by_range(result: Result) -> str | None:
    """Positive above the laboratory's own range, negative inside it; no cut-off of ours (phenotypes.md section 1, rule 5).

    Only for tests that ask whether something is there. What is measured (CK, haemoglobin) is high or low, not positive.
    """
    if result.interpretation in _ANSWER_OF_LEVEL:
        return _ANSWER_OF_LEVEL[result.interpretation]
    if result.is_above_range is None:
        return None
    return "positive" if result.is_above_range else None if result.is_below_range else "negative"


def _agree(element: Element, said: str, valued: str | None) -> str:
    """One answer from the interpretation and from the value: doubt in either is doubt, otherwise the interpretation comes first.

    An interpretation that only says high or abnormal is no answer in words and does not overrule one: an abnormal result of a
    test for immunity is a negative one.
    """
    if valued and said != valued:
        if "borderline" in (said, valued):
            return "borderline"
        element.report("interpretation", say("contradicts the value; the interpretation was taken"))
    return said


def _interpretation(element: Element, chart: Chart) -> tuple[str | None, str | None]:
    """Answer and level of Observation.interpretation, each None where it is not given or contradicts itself."""
    concepts: set[str] = set()
    for interpretation in element.children("interpretation"):
        concepts.update(chart.terminology.concepts_of_codeable(interpretation.content)[0])
        for coding in objects(interpretation.content.get("coding")):
            code = coding.get("code")
            if isinstance(code, str) and coding.get("system") is None:
                concepts.update(chart.terminology.concepts_of(OBSERVATION_INTERPRETATION, code))
    answers = {_ANSWERS[concept] for concept in concepts if concept in _ANSWERS}
    levels = {_LEVELS[concept] for concept in concepts if concept in _LEVELS}
    if len(levels) > 1:
        levels.discard("abnormal")  # high and abnormal say the same, one more precisely
    if {"positive", "negative"} <= answers or len(levels) > 1:
        element.report("interpretation", say("contradicts itself; not evaluated"))
        return None, None
    return _answer_of(answers), next(iter(levels), None)


def _answer_of(answers: set[str]) -> str | None:
    """Weakly positive is borderline: it needs confirmation."""
    return "borderline" if "borderline" in answers else next(iter(answers), None) if len(answers) == 1 else None


def _value(element: Element, names: list[str], measure: Measure | None, chart: Chart) -> Value:
    if len(names) > 1:
        element.report("value", say("is given more than once; not evaluated"))
        return _NOTHING
    name = names[0]
    sent = element.content[name]
    if name == "valueQuantity":
        return _quantity(element, measure)
    if name == "valueCodeableConcept":
        return _coded_value(element, chart)
    if name == "valueBoolean":
        return Value(answer={True: "positive", False: "negative"}[sent]) if isinstance(sent, bool) else _NOTHING
    if name == "valueInteger":
        number = element.number(name)
        return _bare_number(element, name, number, None, measure) if number is not None else _NOTHING
    if name == "valueString" and isinstance(sent, str):
        if answer := parse_answer(sent):
            return Value(answer=answer)
        if written := parse_number(sent):
            return _bare_number(element, name, *written, measure)
    return _NOTHING


def _quantity(element: Element, measure: Measure | None) -> Value:
    sent = element.content["valueQuantity"]
    if not isinstance(sent, dict):
        element.report("valueQuantity", say("is not an object; not evaluated"))
        return _NOTHING
    value, comparator = sent.get("value"), sent.get("comparator")
    number = as_number(value)
    if number is None or comparator not in _COMPARATORS:
        if value is not None:
            element.report("valueQuantity", say("has a value or comparator that FHIR R4 does not know; not evaluated"))
        return _NOTHING
    code, text = unit = sent.get("code"), sent.get("unit")
    if measure is None:
        as_sent = text if isinstance(text, str) else code if isinstance(code, str) else ""
        return Value(Quantity(number, AsWritten(as_sent), comparator), 1.0, unit)
    factor = measure.factor(sent)
    if factor is None:
        element.report("valueQuantity", _NOT_RECOGNISED)
        return _NOTHING
    return Value(Quantity(convert(number, factor), measure.unit, comparator), factor, unit)


def _bare_number(element: Element, name: str, number: float, comparator: str | None, measure: Measure | None) -> Value:
    """A number without a unit: enough for a score, not for a measurement."""
    if measure is None:
        return Value(Quantity(number, "", comparator))
    element.report(name, _NOT_RECOGNISED)
    return _NOTHING


def _coded_value(element: Element, chart: Chart) -> Value:
    value = element.child("valueCodeableConcept")
    if value is None:
        return _NOTHING
    concepts, _ = chart.terminology.concepts_of_codeable(value.content)
    answers = {_ANSWERS[concept] for concept in concepts if concept in _ANSWERS}
    if not concepts:
        wordings = [
            value.content.get("text"),
            *(coding.get("display") for coding in objects(value.content.get("coding"))),
        ]
        answers = {answer for wording in wordings if isinstance(wording, str) and (answer := parse_answer(wording))}
    return Value(answer=_answer_of(answers), concepts=concepts)


def _reference_range(element: Element, value: Value, measure: Measure | None) -> tuple[float | None, float | None]:
    """The laboratory's limits for this patient, in the unit of the value: a range for everybody, or the only one there is."""
    ranges = objects(element.content.get("referenceRange"))
    chosen = ranges[0] if len(ranges) == 1 else next(filter(_is_general, ranges), None)
    if chosen is None:
        return None, None
    return _limit(chosen.get("low"), value, measure), _limit(chosen.get("high"), value, measure)


def _is_general(reference_range: Json) -> bool:
    """For everybody, and the range of the healthy: not one for an age, a group, a phase or a treatment."""
    if reference_range.get("appliesTo") or reference_range.get("age"):
        return False
    return "type" not in reference_range or codes_of(reference_range["type"]) <= _NORMAL_RANGE


def _limit(limit: object, value: Value, measure: Measure | None) -> float | None:
    """One limit; without a unit it has the value's, in another unit that we cannot convert it is no limit."""
    if not isinstance(limit, dict) or (number := as_number(limit.get("value"))) is None:
        return None
    unit = limit.get("code"), limit.get("unit")
    if unit in (value.unit_as_sent, _NO_UNIT):
        return convert(number, value.factor)
    if measure is None:
        shared = {unit_key(one) for one in unit} & {unit_key(one) for one in value.unit_as_sent} - {""}
        return number if shared else None
    factor = measure.factor(limit)
    return None if factor is None else convert(number, factor)
