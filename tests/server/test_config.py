"""Settings: defaults, environment, arguments, and clear words for what cannot be used."""

from pathlib import Path

import pytest

from server.config import Config, ConfigurationError


def test_without_settings_the_service_is_on_this_machine_only() -> None:
    config = Config.from_environment({})
    assert (config.host, config.port) == ("127.0.0.1", 8000)
    assert config.max_body_bytes == 5 * 1024 * 1024
    assert config.card_cap == 5


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_without_clients_the_host_is_a_literal_address_of_this_machine(host: str) -> None:
    assert Config(host=host).host == host


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7", "localhost", "ehr.example", ""])  # noqa: S104
def test_without_clients_any_other_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_HOST, --host\): no clients are registered"):
        Config(host=host)


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "cds.hospital.example"])  # noqa: S104
def test_a_service_that_is_open_beside_its_clients_serves_this_machine_only(host: str) -> None:
    with pytest.raises(ConfigurationError, match="what answers without a token serves this machine only"):
        Config(host=host, clients=Path("clients.toml"), open_beside_clients=True)


@pytest.mark.requirement("JWT-19")
def test_no_setting_from_outside_opens_a_service_that_has_clients() -> None:
    names = ("OPEN", "OPEN_BESIDE_CLIENTS", "OPEN_BESIDE", "DEMO")
    for name in names:
        with pytest.raises(ConfigurationError, match=f"MYOSITIS_CDS_{name}: is not a setting"):
            Config.from_environment({f"MYOSITIS_CDS_{name}": "true"})


def test_the_environment_sets_what_is_not_given_as_an_argument() -> None:
    environment = {
        "MYOSITIS_CDS_HOST": "::1",
        "MYOSITIS_CDS_PORT": "9000",
        "MYOSITIS_CDS_MAX_BODY_MIB": "2",
        "MYOSITIS_CDS_CARD_CAP": "3",
        "MYOSITIS_CDS_SITE": "/etc/ours",
        "MYOSITIS_CDS_TERMINOLOGY": "/etc/codes",
    }
    config = Config.from_environment(environment)
    assert (config.host, config.port, config.max_body_bytes, config.card_cap) == ("::1", 9000, 2 * 1024 * 1024, 3)
    assert (config.site, config.terminology) == (Path("/etc/ours"), Path("/etc/codes"))


def test_an_argument_wins_over_the_environment() -> None:
    config = Config.from_environment({"MYOSITIS_CDS_PORT": "9000", "MYOSITIS_CDS_HOST": "::1"}, host="127.0.0.2", port=0)
    assert (config.host, config.port) == ("127.0.0.2", 0)


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "ehr.example", ""])  # noqa: S104 - refused, that is the point
def test_without_registered_clients_no_other_machine_is_served(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_HOST.*this machine only.*use 127\.0\.0\.1"):
        Config.from_environment({}, host=host)


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MYOSITIS_CDS_PORT", "eight"),
        ("MYOSITIS_CDS_PORT", "70000"),
        ("MYOSITIS_CDS_PORT", "-1"),
        ("MYOSITIS_CDS_MAX_BODY_MIB", "0"),
        ("MYOSITIS_CDS_MAX_BODY_MIB", "1.5"),
        ("MYOSITIS_CDS_CARD_CAP", "0"),
    ],
)
def test_a_setting_out_of_range_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Config.from_environment({name: value})


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_HOST", "10.0.0.7"),
        ("PORT", "tcp://10.0.0.7:8000"),
        ("PORT_8000_TCP", "tcp://10.0.0.7:8000"),
        ("POSTGRESQL_SERVICE_HOST", "10.0.0.8"),
    ],
)
def test_what_kubernetes_sets_for_a_service_named_as_we_are_is_told_from_a_setting(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"MYOSITIS_CDS_{name}: Kubernetes .* enableServiceLinks: false") as told:
        Config.from_environment({f"MYOSITIS_CDS_{name}": value}, port=8000)
    assert value not in str(told.value)
