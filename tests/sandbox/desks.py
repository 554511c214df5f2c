"""A desk for tests, with everything that belongs to it but its pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.authorization.authorization import Authorization
from sandbox.chart_store import ChartStore
from sandbox.desk import Desk
from sandbox.keys import EhrKeys

AS_OF = date(2026, 11, 22)
URL = "http://127.0.0.1:8001"
KEYS = EhrKeys()
"""Made once: to make RSA keys takes a while."""

TIF1_GAMMA = "anti-tif1-gamma-dermatomyositis"
PREGNANT = "dermatomyositis-pregnant"


@dataclass(frozen=True)
class Ehr:
    """An EHR without pages."""

    desk: Desk
    charts: ChartStore
    authorization: Authorization

    def orders(self, patient_id: str) -> list[dict[str, Any]]:
        """The tests and referrals on a chart that are ordered."""
        chart = self.charts.chart(patient_id)
        assert chart
        return [one for one in chart.of("ServiceRequest") if one["status"] == "active"]


def open_ehr(services: Iterable[str], url: str = URL) -> Ehr:
    """An EHR on the day of the stories, which knows these services."""
    charts = ChartStore(lambda: AS_OF)
    authorization = Authorization(charts, KEYS, url)
    desk = Desk(url, services, store=charts, keys=KEYS, authorization=authorization, today=lambda: AS_OF)
    return Ehr(desk, charts, authorization)
