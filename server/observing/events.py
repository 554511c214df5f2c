"""Every event that the log can name, and what it means; a test holds the source against this list."""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "another_patients_data": "data of another patient came with a call; the call was refused",
    "app_context_ignored": "the app was opened with a context that is not that of a card of ours for this patient",
    "callback_refused": "a client named a server, or sent a token, that may not be used for calling back",
    "clock_differs": "tokens arrive that were issued at another time than our clock says",
    "database_upgraded": "the tables were brought up to date",
    "failed": "a fault of ours: its kind, and where in the source",
    "feedback": "what became of a card",
    "id_token_refused": "an identity token of a launch was not right",
    "jwk_not_usable": "a key of a client's JWK Set was left out",
    "jwk_set_fetched": "a client's keys were fetched",
    "jwk_set_not_fetched": "a client's keys could not be fetched; what is known stays for a day",
    "jwk_set_reveals_private_key": "a client's JWK Set holds private keys; tell them",
    "jwk_set_without_usable_key": "a client's JWK Set holds no key that may sign",
    "library": "a library wrote a line, of which only the name, the level and the kind of an exception are kept",
    "no_callback": "nothing was fetched from the EHR, for a reason that is no trouble",
    "query_failed": "one query to an EHR was not answered completely",
    "refresh_refused": "a renewed token of a launch was not right",
    "refused": "a caller was not let in",
    "replay_not_checked": "whether a token was used before could not be told; the call was refused",
    "request": "one request was answered",
    "snoozed": "a recommendation will not be shown for a patient for some days",
    "stopped": "a launch of the app ended with a page that says why",
    "store_trouble": "the database failed us",
    "thread_failed": "a fault of ours that ended a thread",
    "unlisted": "a line whose event was no constant word; its words were dropped",
}
