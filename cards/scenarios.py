"""Which worked scenarios show a recommendation at work."""


def scenarios_of(recommendation_id: str) -> list[str]:
    """Titles of the scenarios in which a statement holds, does not hold, or is unknown; none are written down yet."""
    return []
