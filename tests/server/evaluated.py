"""The stories of the sandbox, evaluated once for all tests of a run."""

from functools import cache

from server.evaluation import Evaluation, evaluate
from tests.server.charts import AS_OF, chart


@cache
def evaluated(slug: str) -> Evaluation:
    """One story, on the day that it is told."""
    return evaluate([chart(slug)], as_of=AS_OF, seed="story")
