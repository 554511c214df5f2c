"""Every way in which a launch ends, each with its number: what happened, and what to do, for the person at the screen."""

from dataclasses import dataclass

from fhir_profiles.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Stop:
    """One kind of page that ends a launch.

    Args:
        number: stable, so that a help desk can look it up.
        status: HTTP status.
        title: what happened.
        text: why, and what to do.
    """

    number: str
    status: int
    title: Sentence
    text: Sentence


class StopError(Exception):
    """The launch cannot go on.

    Args:
        stop: the page.
        reason: one word out of a closed set, for the log; the page does not show it.
        said: what the EHR itself says about it, for people; escaped before it is shown.
        again: base URL of the FHIR server from which the app may be opened again without a chart; empty where it needs one.
    """

    def __init__(self, stop: Stop, reason: str = "", *, said: str = "", again: str = "") -> None:
        """Keep what is given."""
        super().__init__(stop.number)
        self.stop = stop
        self.reason = reason
        self.said = said
        self.again = again


UNKNOWN_EHR = Stop(
    "MYO-1701",
    400,
    say("This app is not registered with that EHR"),
    say(
        "The address of the EHR (iss) is not one that this service knows. Open the app from a patient's chart; if "
        "that led you here, tell the people who look after this service: they add the FHIR server and a smart table "
        "to the file of clients."
    ),
)
NO_CONFIGURATION = Stop(
    "MYO-1702",
    502,
    say("The EHR does not say how to sign in"),
    say(
        "Its SMART configuration could not be read, or lacks what a safe launch needs. Try again in a minute; if it "
        "stays so, tell the people who look after this service."
    ),
)
WRONG_STATE = Stop(
    "MYO-1703",
    400,
    say("This launch is not known here"),
    say(
        "It was begun in another browser, has been used already, or is older than ten minutes. Nothing was opened. "
        "Open the app again from the chart."
    ),
)
EHR_REFUSED = Stop(
    "MYO-1704",
    403,
    say("The EHR did not let the app in"),
    say(
        "Nothing was opened. Open the app again from the chart; if it happens again, give this page to the people who "
        "look after the EHR."
    ),
)
WRONG_ISSUER = Stop(
    "MYO-1705",
    400,
    say("Another EHR answered"),
    say(
        "The answer came in the name of another EHR than the one that was asked, so it was not used. Open the app "
        "again from the chart."
    ),
)
NO_TOKEN = Stop(
    "MYO-1706",
    502,
    say("The EHR did not complete the launch"),
    say(
        "It did not exchange the launch for access to the chart. Open the app again from the chart; a launch can be "
        "used once, and soon."
    ),
)
WRONG_IDENTITY = Stop(
    "MYO-1707",
    403,
    say("The EHR's answer cannot be trusted"),
    say(
        "Who signed in could not be verified, so nothing was opened. Open the app again from the chart; if it happens "
        "again, tell the people who look after this service."
    ),
)
NO_PATIENT = Stop(
    "MYO-1708",
    400,
    say("No patient was chosen"),
    say(
        "The EHR opened the app without saying for which patient. Open it from the chart of one patient, or choose a "
        "patient when the EHR asks."
    ),
)
ENDED = Stop(
    "MYO-1709",
    401,
    say("This session has ended"),
    say(
        "It was closed, or ended after a time without use. The app keeps nothing of the chart. Open the app again from the chart."
    ),
)
ANOTHER_PATIENT = Stop(
    "MYO-1710",
    412,
    say("Data of another patient"),
    say(
        "The EHR sent data of another patient than the one the app was opened for. Nothing was evaluated, and nothing "
        "is shown. Tell the people who look after the EHR."
    ),
)
NO_ANSWER = Stop(
    "MYO-1711",
    502,
    say("The EHR does not answer"),
    say("None of the patient's data could be read. Nothing can be said about the patient. Reload this page in a minute."),
)
FOREIGN_FORM = Stop(
    "MYO-1712",
    403,
    say("This was not sent from the app's own page"),
    say("Nothing was done. Go back to the patient's page and try again from there."),
)
NO_DATA = Stop(
    "MYO-1714",
    403,
    say("The EHR granted no data"),
    say(
        "It let the app in, but not read anything that advice is made from, so nothing can be said about the patient. Tell the "
        "people who look after the EHR: the scopes of the app are on its connection sheet."
    ),
)
NO_STORE = Stop(
    "MYO-1713",
    503,
    say("The app cannot keep a session now"),
    say("Its database does not answer. Nothing was opened. Try again in a minute."),
)
TOO_MANY = Stop(
    "MYO-1715",
    429,
    say("Too many requests at once"),
    say(
        "More came from where you are than this service answers in a second. Nothing was lost. Wait a moment, then "
        "reload this page."
    ),
)
