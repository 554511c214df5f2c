"""The servers of many addresses at once are those of each by itself."""

from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.addresses import server_of, servers_of

PIECES = st.sampled_from(
    [
        *("https:", "http:", "", "/", "//", "ehr.example", "EHR.example:443", "fhir", "Patient", "Observation", "1", "_history"),
        *("2", "?a=b", "#x", " ", "urn:uuid:7", "x" * 1100, "ftp:", "[::1", "%2F"),
    ]
)
ADDRESSES = st.lists(PIECES, min_size=1, max_size=9).map("".join) | st.lists(PIECES, min_size=3, max_size=9).map("/".join)


@given(st.lists(ADDRESSES, max_size=6))
def test_together_as_each_alone(urls: list[str]) -> None:
    assert servers_of(urls) == {url: server_of(url) for url in urls}


def test_a_chart_on_one_server() -> None:
    urls = [f"https://ehr.example/fhir/Observation/{number}" for number in range(3)]
    assert set(servers_of(urls).values()) == {"ehr.example/fhir"}
