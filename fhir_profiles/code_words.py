"""The words for our codes and FHIR's, where a sentence or a page prints a code as it is."""

from fhir_profiles.sentences import Sentence, say

_WORDS: dict[str, Sentence] = {
    str(word): word
    for word in (
        # clinical status and grade of a problem
        *(say("active"), say("recurrence"), say("relapse"), say("inactive"), say("remission"), say("resolved")),
        *(say("mild"), say("moderate"), say("severe"), say("non-severe")),
        # what a laboratory says
        *(say("positive"), say("negative"), say("borderline")),
        *(say("female"), say("male")),
        # how sure, and how a question stands
        *(say("recorded"), say("supported"), say("conflicting"), say("computed"), say("suspected")),
        *(say("yes"), say("no"), say("unknown"), say("present"), say("ruled out"), say("not recorded")),
        *(say("not supplied"), say("unclear"), say("could not be assessed")),
        # treatment, and its course
        *(say("untreated"), say("induction"), say("maintenance")),
        *(say("current"), say("failed"), say("not-tolerated"), say("stopped"), say("allergy")),
        # classification and response
        *(say("not-iim"), say("possible"), say("probable"), say("definite")),
        *(say("none"), say("minimal"), say("major")),
    )
}


def word(code: str) -> str:
    """The code as a word that every language has; a code that is not listed stays as it is."""
    return _WORDS.get(code, code)
