"""The fixed words of the drawings, so that the templates hold none: they are translated with all other sentences."""

from collections.abc import Mapping

from fhir_profiles.sentences import Sentence, say
from server.patient_page.result_words import ANTIBODY_WORDS

LABELS: Mapping[str, Sentence] = {
    "today": say("today"),
    "as_table": say("As a table"),
    "row": say("Row"),
    "when": say("When"),
    "what": say("What the chart says"),
    "reference": say("FHIR resource"),
    "value": say("Value"),
    "to_range": say("Against the range"),
    "range": say("Laboratory's own range"),
    "drawn": say("Drawn"),
    "yes": say("yes"),
    "no": say("no"),
    "before": say("before the drawing begins"),
    "keys": say("Move through the points with the arrow keys; Home and End lead to the first and the last."),
    "no_results": say("No measured result in the data supplied."),
    "above": say("above the laboratory's range"),
    "below": say("below the laboratory's range"),
    "within": say("within it"),
    "abnormal": say("called abnormal"),
    "unjudged": say("no range given"),
    "band": say("the laboratory's own range"),
    "statement": say("Statement"),
    "state": say("State"),
    "done": say("Done"),
    "ordered": say("Ordered"),
    "missing": say("What is missing"),
    "interval": say("Interval"),
    "source": say("Source"),
    "nothing": say("–"),
    "timeline": say("Timeline"),
    **ANTIBODY_WORDS,
    "test_done": say("done, given or answered"),
    "test_ordered": say("ordered"),
    "test_due": say("due"),
    "began": say("began"),
    "declined": say("declined"),
}
