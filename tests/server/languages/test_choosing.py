import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from server.languages.choosing import chosen_language


@pytest.mark.parametrize(
    ("asked", "of_client", "accepted", "chosen"),
    [
        ("de", "en", "en", "de"),
        ("fr", "de", "en", "de"),
        ("", None, "de", "de"),
        ("", "en", "de", "en"),
        ("", None, "de-CH, en;q=0.8", "de"),
        ("", None, "de-CH;q=0.5, en;q=0.8", "en"),
        ("", None, "fr-CH, de;q=0.3", "de"),
        ("", None, "fr, es;q=0.4", "en"),
        ("", None, "de;q=0, en", "en"),
        ("", None, "*", "en"),
        ("", None, "not a list; of=languages,,,", "en"),
        ("", None, "", "en"),
    ],
)
def test_the_nearest_choice_decides(asked: str, of_client: str | None, accepted: str, chosen: str) -> None:
    builder = EnvironBuilder(query_string={"language": asked}, headers={"Accept-Language": accepted})
    assert chosen_language(Request(builder.get_environ()), of_client) == chosen
