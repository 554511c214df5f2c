"""Which URLs may be called (OUT-01, OUT-02, OUT-07)."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ehr.address import below, is_loopback, normal_base
from tests.for_each import for_each

BASE = "https://ehr.example/fhir/r4"


@pytest.mark.requirement("OUT-01")
@pytest.mark.parametrize(
    "url",
    [
        BASE,
        f"{BASE}/",
        "HTTPS://EHR.example/fhir/r4",
        "https://ehr.example:443/fhir/r4//",
    ],
)
def test_spellings_of_one_base_are_one(url: str) -> None:
    assert normal_base(url) == BASE


@pytest.mark.requirement("OUT-01", "OUT-02")
@for_each(
    "url",
    [
        "",
        "ehr.example/fhir",
        "//ehr.example/fhir",
        "file:///etc/passwd",
        "ftp://ehr.example/",
        "http://ehr.example/fhir/r4",  # a token would go over the wire
        "http://169.254.169.254/latest",
        "http://2130706433/",
        "http://127.0.0.1.ehr.example/",
        "https://user@ehr.example/fhir/r4",
        "https://user:pass@ehr.example/fhir/r4",
        "https://@ehr.example/fhir/r4",
        "https://ehr.example\\@evil.example/fhir/r4",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example/fhir%2fr4",
        "https://ehr.example/fhir/r4?x=y",
        "https://ehr.example/fhir/r4?",
        "https://ehr.example/fhir/r4#x",
        "https://ehr.example/fhir/r4#",
        "https://ehr.example./fhir/r4",
        "https://éhr.example/fhir/r4",
        "https://ehr.example/fhir/r4\n",
        " https://ehr.example/fhir/r4",
        "https://ehr.example:99999/",
        "https://ehr.example:0/",
        "https://ehr.example:x/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https:///fhir",
        f"https://ehr.example/{'x' * 3000}",
    ],
)
def test_what_is_no_plain_address_is_none(url: str) -> None:
    assert normal_base(url) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8002/fhir", "http://localhost/fhir", "http://[::1]:8002/fhir"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert normal_base(url) == url
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["https://ehr.example/", "https://10.0.0.1/", "nothing", "http://localhost.example/"])
def test_other_machines_are_not_this_one(url: str) -> None:
    assert not is_loopback(url)


_PIECES = st.sampled_from(
    [
        *(
            "https://",
            "http://",
            "//",
            "/",
            "\\",
            "@",
            "[",
            "]",
            ":",
            ":99999",
            "ehr.example",
            "evil.example",
            "127.0.0.1",
            "[::1]",
            ":443",
            ":80",
        ),
        *("fhir", "r4", "..", ".", "%2e", "?", "#", "\t", "\n", "\x00", " ", "é", "user:", "0x7f.1", "?patient=1"),
    ]
)


@pytest.mark.requirement("OUT-01")
@given(st.lists(_PIECES, max_size=8).map("".join))
def test_whatever_is_sent_only_the_registered_host_passes_for_it(url: str) -> None:
    if normal_base(url) == BASE:
        parts = urlsplit(url.lower())
        assert (parts.scheme, parts.hostname, parts.path.rstrip("/")) == ("https", "ehr.example", "/fhir/r4")


PAGE = f"{BASE}/Observation?patient=1"


@pytest.mark.requirement("OUT-07")
@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        (f"{BASE}/Observation?page=2", f"{BASE}/Observation?page=2"),
        (f"{BASE}?_getpages=abc", f"{BASE}?_getpages=abc"),
        ("Observation?page=2", f"{BASE}/Observation?page=2"),
        ("?page=2", f"{BASE}/Observation?page=2"),
        ("/fhir/r4/x?page=2", f"{BASE}/x?page=2"),
        ("https://EHR.example:443/fhir/r4/x?a=..%2f", f"{BASE}/x?a=..%2f"),
    ],
)
def test_a_page_below_the_base_is_followed(link: str, leads_to: str) -> None:
    assert below(BASE, link, PAGE) == leads_to


@pytest.mark.requirement("OUT-07")
@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://evil.example/fhir/r4/Observation?page=2",
        "http://ehr.example/fhir/r4/Observation?page=2",
        "https://ehr.example:8443/fhir/r4/Observation",
        "https://ehr.example/fhir/r4x/Observation",
        "https://ehr.example/admin",
        "/admin",
        "../../admin",
        "//evil.example/fhir/r4/",
        f"{BASE}/../../admin",
        f"{BASE}/%2E%2e/admin",
        f"{BASE}/x%2Fy",
        f"{BASE}/x#y",
        "https://ehr.example@evil.example/fhir/r4/",
        "\\\\evil.example\\fhir",
        f"{BASE}/x\r\nHost: y",
        "javascript:alert(1)",
        "//[x",
        "https://[x",
        "//[ehr.example]/fhir/r4/x",
        "https://]/",
    ],
)
def test_a_page_elsewhere_is_not(link: str) -> None:
    assert below(BASE, link, PAGE) is None


@pytest.mark.requirement("OUT-07")
@given(st.lists(_PIECES, max_size=8).map("".join))
def test_no_link_leads_off_the_base(link: str) -> None:
    url = below(BASE, link, PAGE)
    assert url is None or url == BASE or url.startswith((f"{BASE}/", f"{BASE}?"))
