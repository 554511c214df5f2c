"""Whoever looks after a registry reads the report of a cohort run, on a phone and on a wide screen."""

import pytest

from server.basis import packaged_basis
from server.cohort.report.write import write_report
from tests.browser.conftest import Watched, shuts_out, widths_that_scroll_sideways
from tests.server.cohort.test_figures import CT, counted

pytestmark = pytest.mark.browser

STATES = (
    {"outcome": "holds", "due_state": "overdue"},
    {"outcome": "holds", "orders": "ct-thorax", "due_state": "due"},
    {"outcome": "unknown"},
    {"outcome": "holds"},
    {"outcome": "ended"},
    {"outcome": "satisfied"},
)
SITES = ("Synthetic university hospital of the north", "Synthetic children's and adult hospital", "Synthetic registry")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Patients in every state at three hospitals, so few in some that most numbers are withheld."""
    folder = tmp_path_factory.mktemp("report")
    of_each = [(site, state) for site in SITES for state in STATES for _ in range(1 + 7 * (state is STATES[1]))]
    patients = [{"patient": f"p{number}", "site": site} for number, (site, _) in enumerate(of_each)]
    told = [
        {"patient": f"p{number}", "site": site, "recommendation": CT, **state} for number, (site, state) in enumerate(of_each)
    ]
    counted(folder, patients, told)
    return write_report(folder, packaged_basis().knowledge, 5, folder).read_text("utf-8")


def test_nobody_is_kept_out(tab: Watched, report: str) -> None:
    tab.page.set_content(report)
    assert shuts_out(tab.page) == []


def test_nothing_but_a_wide_table_is_scrolled_sideways(tab: Watched, report: str) -> None:
    tab.page.set_content(report)
    assert tab.page.locator(".wide thead th", has_text="held back or declined").count() == 1
    assert widths_that_scroll_sideways(tab.page, 360, 820, 1100, 1600) == []
    tables = "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
    tab.page.set_viewport_size({"width": 1100, "height": 900})
    assert tab.page.eval_on_selector_all(".chart", tables) == 0
