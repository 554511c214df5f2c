"""What a call leaves behind: next to nothing that waits for the garbage collector, and nothing of the chart."""

import gc
from collections import Counter

from server.application import create_app
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.conftest import CONFIG

OURS = ("fhir_profiles", "cards", "server")


def test_no_chart_waits_for_the_garbage_collector_once_its_call_is_answered() -> None:
    client, call = create_app(CONFIG).test_client(), hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))

    def answer() -> None:
        assert client.post("/cds-services/myositis-patient-view", json=call).get_json()["cards"]

    answer()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        answer()
        gc.collect()
        left = Counter(type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith(OURS))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == Counter()
