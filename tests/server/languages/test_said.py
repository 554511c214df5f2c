"""What the cards of all scenarios keep in English; here, beside the tests that say the same cards in German."""

from tests.server.languages.said import of_scenarios
from tests.sizes import size


def test_no_summary_is_cut_in_its_middle() -> None:
    """Over every packaged scenario; a shorter wording stands in for one that does not fit."""
    summaries = {card["summary"] for cards in of_scenarios().values() for card in cards}
    assert len(summaries) > size(200, part=100)
    assert [summary for summary in summaries if summary.endswith("…")] == []
