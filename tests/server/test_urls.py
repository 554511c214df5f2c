"""What a URL, an origin and a host may be."""

import pytest

from server.ehr.address import normal_base
from server.urls import (
    is_loopback,
    is_loopback_address,
    is_loopback_host_header,
    is_origin,
    is_secure_url,
    may_be_this_machine,
)


@pytest.mark.requirement("J-21", "OUT-02")
@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example",
        "https://ehr.example:8443/fhir/R4/",
        "http://localhost:8080/fhir",
        "http://127.0.0.1/x",
        "http://[::1]:9/x",
    ],
)
def test_https_is_secure_and_http_on_this_machine(url: str) -> None:
    assert is_secure_url(url)


@pytest.mark.requirement("J-21", "OUT-01", "OUT-02")
@pytest.mark.parametrize(
    "url",
    [
        "", "ehr.example", "//ehr.example", "http://ehr.example", "http://127.0.0.1.ehr.example", "http://localhost.example",
        "http://2130706433/", "file:///etc/passwd", "ftp://ehr.example", "https://", "https:///fhir", "https://user@ehr.example",
        "https://ehr.example@evil.example", "https://ehr.example\\@evil.example", "https://ehr.example/#x", "https://ehr.example/?x",
        "https://ehr.example/a b", "https://ehr.example/\n", "https://ehr.example:port/", "https://ehr.example:99999/",
        "https://ehr.example:0/", "https://éhr.example", "https://[::1", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_everything_else_is_not(url: str) -> None:
    assert not is_secure_url(url)


@pytest.mark.requirement("O-4", "CORS-01")
@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("https://ehr.example", True), ("https://ehr.example:8443", True), ("http://localhost:3000", True),
        ("https://ehr.example/", False), ("https://EHR.example", False), ("null", False), ("*", False),
        ("https://*.ehr.example", False), ("http://ehr.example", False), ("https://ehr.example/app", False),
        ("ehr.example", False), ("https://ehr.example:443", False), ("http://localhost:80", False),
        ("https://ehr.example:", False),
        ("https://ehr.example;sandbox", False), ("https://ehr.example,x", False), ("https://ehr.example'x", False),
        ("https://ehr.example%20x", False), ("https://$.example", False), ("https://[v1.x;sandbox]", False),
        ("https://ehr.example:08443", False), ("http://[::1]:8080", True), ("http://127.0.0.1", True),
    ],
)  # fmt: skip
def test_an_origin_is_what_a_browser_sends(origin: str, right: bool) -> None:
    assert is_origin(origin) is right


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.7", False),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("::", False),
        ("ehr", False),
        ("", False),
    ],
)
def test_this_machine_is_what_it_says(host: str, right: bool) -> None:
    assert is_loopback(host) is right
    assert is_loopback_address(host) is (right and host != "localhost")
    url = f"http://{f'[{host}]' if ':' in host else host}/fhir"
    assert (normal_base(url) == url) is right, "an address to call back to is held against the same rule"


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("localhost", True), ("LocalHost:80", True), ("127.0.0.1", True), ("[::1]:1", True), ("", False), (":8000", False),
        ("ehr.example", False), ("localhost.ehr.example", False), ("ehr.example@localhost", False), ("localhost/", False),
        ("localhost, localhost", False), ("::1", False), ("localhost:port", False), ("localhost.", False),
    ],
)  # fmt: skip
def test_a_host_header_names_this_machine_or_does_not(header: str, right: bool) -> None:
    assert is_loopback_host_header(header) is right


@pytest.mark.requirement("OUT-01")
@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("127.0.0.1", True), ("::1", True), ("localhost", True), ("LOCALHOST", True), ("localhost.", True), ("a.localhost", True),
        ("127.1", True), ("2130706433", True), ("0x7f000001", True), ("0177.0.0.1", True), ("127.0.0.1.", True), ("0", True),
        ("0.0", True), ("::", True), ("::ffff:127.0.0.1", True), ("::ffff:0.0.0.0", True), ("ehr.example", False),
        ("localhost.example", False), ("0.example", False), ("192.0.2.7", False), ("2001:db8::1", False), ("", False),
    ],
)  # fmt: skip
def test_what_any_resolver_could_take_for_this_machine_may_be_it(host: str, right: bool) -> None:
    assert may_be_this_machine(host) is right
