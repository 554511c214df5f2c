"""What many sentences end with: when it was, and how it was recognised."""

from fhir_profiles.dates import DateInterval
from fhir_profiles.record import Fact
from fhir_profiles.sentences import say


def on_day(words: str, when: DateInterval | None) -> str:
    """`anti-Jo-1 positive on 3 March 2026`, or that it is undated."""
    return say("{words} on {day}", words=words, day=when) if when else say("{words}, undated", words=words)


def at_time(words: str, when: DateInterval | None) -> str:
    """As `on_day`, but `in March 2026` where the day is not known."""
    if when is None or when.is_exact:
        return on_day(words, when)
    return say("{words} in {month}", words=words, month=when)


def by_text(words: str, fact: Fact) -> str:
    """With a warning where no code but a phrase was recognised."""
    return say("{words} (matched by text, not by code)", words=words) if fact.matched_by_text else words


_MUSCLES = "muscle_strength_mrc_"
_MUSCLE_GROUPS = {
    "proximal": say("proximal"),
    "shoulder_abduction": say("shoulder abduction"),
    "elbow_flexion": say("elbow flexion"),
    "hip_flexion": say("hip flexion"),
    "knee_extension": say("knee extension"),
    "neck_flexion": say("neck flexion"),
    "neck_extension": say("neck extension"),
    "ankle_dorsiflexion": say("ankle dorsiflexion"),
    "ankle_plantar_flexion": say("ankle plantar flexion"),
    "finger_flexion": say("finger flexion"),
}


def graded_strength(concept: str, grade: float, when: DateInterval | None) -> str:
    """`hip flexion MRC 4 on 3 March 2026`.

    Args:
        concept: ValueSet of the muscle group, `muscle_strength_mrc_…`.
        grade: 0 to 5.
        when: the day of the grade.
    """
    return on_day(say("{muscles} MRC {grade:g}", muscles=_MUSCLE_GROUPS[concept.removeprefix(_MUSCLES)], grade=grade), when)
