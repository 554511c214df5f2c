"""The latest word on a card counts."""

from itertools import permutations

from server.feedback.items import Item
from server.feedback.latest import latest, seconds_of


def test_the_latest_by_the_clients_clock_counts_and_at_one_moment_the_acceptance() -> None:
    words = [
        Item("c", "overridden", "2026-11-22T10:00:00.000000Z"),
        Item("c", "accepted", "2026-11-22T10:00:00.500000Z"),
        Item("c", "overridden", "2026-11-22T10:00:00.500000Z"),
    ]
    assert {latest(order) for order in permutations(words)} == {words[1]}
    later = Item("c", "overridden", "2026-11-22T10:00:00.500001Z")
    assert {latest(order) for order in permutations([*words, later])} == {later}


def test_moments_are_seconds_since_1970() -> None:
    assert seconds_of("1970-01-02T00:00:00.999999Z") == 86_400
    assert seconds_of("0001-01-01T00:00:00.000000Z") == -62_135_596_800
