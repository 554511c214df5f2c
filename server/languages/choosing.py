"""Which language a reader gets."""

import re

from flask import Request
from werkzeug.datastructures import LanguageAccept

from server.languages.catalogue import ENGLISH, LANGUAGES

PARAMETER = "language"
"""The name of an explicit choice in the address of a page."""


def chosen_language(request: Request, of_client: str | None = None) -> str:
    """What was asked for in the address, else what the client is set to, else what the browser prefers, else English.

    Args:
        request: of a page.
        of_client: the setting of the registered client that the reader came from; None where the browser is to decide.
    """
    for language in (request.args.get(PARAMETER), of_client):
        if language in LANGUAGES:
            return language
    return _preferred(request.accept_languages)


def _preferred(accepted: LanguageAccept) -> str:
    """By the language alone: who reads Swiss German and then English (`de-CH, en;q=0.8`) is given German."""
    languages = LanguageAccept([(re.split("[-_]", tag)[0], quality) for tag, quality in accepted])
    return languages.best_match(LANGUAGES, default=ENGLISH)
