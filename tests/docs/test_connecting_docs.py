"""What the page on connecting an EHR promises is what the code does."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.basis import load_basis
from server.cds_hooks.dialects import DIALECTS
from server.command_line import main
from server.config import Config
from server.connecting.sheet import make_sheet
from server.knowledge.check import problems_in
from server.trust.clients import Client
from tests.site import site_with

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/connecting.md").read_text("utf-8")


def test_every_dialect_is_on_the_page() -> None:
    assert re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE) == list(DIALECTS)


@pytest.mark.parametrize("page", ["docs/connecting.md", "docs/decisions/0015-dialects.md"])
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
        assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.requirement("D-14")
@pytest.mark.parametrize("line", re.findall(r"^myositis-cds (.*?)(?: +#.*)?$", PAGE, re.MULTILINE))
def test_every_option_on_the_page_is_known(line: str) -> None:
    command, *arguments = line.split(" > ")[0].split()
    told = CliRunner().invoke(main, [command, "--help"]).output
    assert [option for option in arguments if option.startswith("--") and option not in told] == []


@pytest.mark.requirement("JWT-16")
def test_that_a_proxy_must_not_repeat_calls_is_said_where_the_refusal_is_looked_up() -> None:
    (row,) = re.findall(r"^\| `replayed` \|.*$", (ROOT / "docs/clients.md").read_text("utf-8"), re.MULTILINE)
    assert "proxy" in row


def test_an_order_with_a_code_of_the_ehrs_own_list_is_sent_to_it(tmp_path: Path) -> None:
    text = re.search(r"^`orders\.yaml`:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert text is not None
    site = site_with(tmp_path, orders=text.group(1))
    assert problems_in(site) == ()
    epic = Client("hospital", dialect="epic")

    def is_sent(folder: Path | None) -> bool:
        sheet = make_sheet(Config(), load_basis(folder), epic)
        return next(order.is_offered for order in sheet.orders if order.key == "colonoscopy")

    assert not is_sent(None)
    assert is_sent(site)
