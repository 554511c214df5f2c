"""`clients.toml`: what it can say, and clear words for everything that is wrong with it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from server.config import ConfigurationError
from server.trust.clients import Client
from server.trust.clients_file import load_clients, read_clients
from tests.for_each import for_each
from tests.server.trust.ehrs import Ehr, jwk, private_key

EHR = Ehr("hospital", "https://hospital.example/jwks.json")
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "clients.md"

NAME = 'name = "hospital"'
ISSUER = 'issuer = "https://hospital.example"'
KEYS = 'jwks_url = "https://hospital.example/jwks.json"'
HOSPITAL = f"[[client]]\n{NAME}\n{ISSUER}\n{KEYS}\n"
CLINIC = HOSPITAL.replace("hospital", "clinic")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a clients.toml; its path."""

    def write(text: str) -> Path:
        path = tmp_path / "clients.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def certificate() -> bytes:
    """A certificate authority's own certificate, in PEM."""
    key, name = private_key("P-256", "authority"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hospital CA")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    )
    authority = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return authority.sign(key, SHA256()).public_bytes(Encoding.PEM)


def inline(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


def test_little_is_needed(written: Callable[[str], Path]) -> None:
    expected = Client("hospital", "https://hospital.example", "https://hospital.example/jwks.json")
    assert load_clients(written(HOSPITAL)) == (expected,)


def test_everything_can_be_said(written: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    text = (
        HOSPITAL
        + """
algorithms = ["RS256"]
audiences = ["typed-by-hand"]
tenants = ["north"]
longest_life = 900
replay_check = false
fhir_servers = ["https://hospital.example/fhir/R4/"]
ca_file = "ca.pem"
dialect = "epic"
links = ["https://hospital.example/"]
topics_off = ["supportiveCare"]
card_cap = 3
origins = ["https://hospital.example:8443"]
snooze_days = 0
"""
    )
    (client,) = load_clients(written(text))
    assert client == Client(
        "hospital", "https://hospital.example", "https://hospital.example/jwks.json", None, ("RS256",), ("typed-by-hand",),
        ("north",), 900, False, ("https://hospital.example/fhir/R4",), False, tmp_path / "ca.pem", "epic", ("https://hospital.example/",),
        frozenset(("supportiveCare",)), 3, ("https://hospital.example:8443",), 0,
    )  # fmt: skip


def test_no_more_links_than_none_is_not_the_same_as_any(written: Callable[[str], Path]) -> None:
    assert load_clients(written(HOSPITAL))[0].links is None
    assert load_clients(written(f"{HOSPITAL}links = []"))[0].links == ()


@pytest.mark.requirement("J-19", "J-20")
def test_keys_can_be_given_inline_or_as_a_file_seen_from_the_folder_and_only_their_public_half_is_kept(
    written: Callable[[str], Path], tmp_path: Path
) -> None:
    document = EHR.jwks(jwk(EHR.ec, kid="private", d="Canary"))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "hospital.json").write_text(json.dumps(document))
    in_line = HOSPITAL.replace(KEYS, f"jwks = {inline(document)}")
    in_file = HOSPITAL.replace(KEYS, 'jwks_file = "keys/hospital.json"')
    for text in (in_line, in_file):
        (client,) = load_clients(written(text))
        assert client.jwks is not None
        assert [key["kid"] for key in client.jwks["keys"]] == ["ec", "rsa", "private"]
        assert "Canary" not in json.dumps(client.jwks)
        assert "kid" not in repr(client)


def test_the_example_of_the_documentation_is_in_order(written: Callable[[str], Path], tmp_path: Path) -> None:
    example = DOCUMENTATION.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "inferno-jwks.json").write_text(json.dumps(EHR.jwks()))
    (tmp_path / "hospital-ca.pem").write_bytes(certificate())
    clients, faults = read_clients(written(example))
    assert faults == ()
    assert len(clients) >= 3


# --- faults of the file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory); name a TOML file"),
        (b"[[client]\nname = 'Canary'", "is not TOML at line 1, column 9; "),
        (b"name = 'Canary\xff'", "is not UTF-8; save it as UTF-8"),
        (b"", "client: is missing; write at least one table, each under a heading [[client]]"),
        (b"client = []", "client: must be at least one table"),
        (b"client = 'Canary'", "client: must be at least one table"),
        (b"[client]\nname = 'Canary'", "client: must be at least one table, each under a heading [[client]]"),
        (b"client = ['Canary']", "client: must be at least one table"),
        (HOSPITAL.replace("[[client]]", "[[clients]]").encode(), "clients: is not a key; did you mean client?"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        load_clients(path)
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert words in text
    assert "Canary" not in text
    assert "\n" not in text


# --- faults of a client


def faults_of(path: Path) -> list[str]:
    return [str(fault) for fault in read_clients(path)[1]]


@for_each(
    ("line", "words"),
    [
        ('jwk_url = "Canary"', "jwk_url: is not a key; did you mean jwks_url?"),
        ('colour = "Canary"', "colour: is not a key; the keys are algorithms, audiences, ca_file,"),
        ("jwks = {keys = []}", "jwks_url, jwks: write exactly one of jwks_url, jwks (inline) and jwks_file"),
        ('algorithms = ["HS256"]', "algorithms: must be a list of asymmetric signature algorithms: ES256,"),
        ('algorithms = ["none"]', "algorithms: must be a list of asymmetric"),
        ("algorithms = []", "algorithms: must be a list of asymmetric"),
        ('algorithms = "ES384"', "algorithms: must be a list of asymmetric"),
        ('audiences = ["two words"]', "audiences: must be a list of further values of aud"),
        ('tenants = [""]', "tenants: must be a list of the tenant claims"),
        ('tenants = ["Canary", "Canary"]', "tenants: must be a list of the tenant claims"),
        ("longest_life = 3601", "longest_life: must be a whole number of seconds from 1 to 3600"),
        ("longest_life = 0", "longest_life: must be"),
        ("longest_life = true", "longest_life: must be"),
        ('replay_check = "no"', "replay_check: must be true or false"),
        ('fhir_servers = ["http://Canary.example/fhir"]', "fhir_servers: number 1 must be https"),
        (
            'fhir_servers = ["https://a.example", "https://u:Canary@b.example"]',
            "fhir_servers: number 2 must be https, without user",
        ),
        (
            'fhir_without_token = true\nfhir_servers = ["https://Canary.example"]',
            "fhir_without_token: is for this machine only; take it out",
        ),
        ('ca_file = "Canary.pem"', "ca_file: cannot be read (No such file or directory); write its name as seen from "),
        ('ca_file = "clients.toml"', "ca_file: has no certificate in it; write a PEM file"),
        ('dialect = "epik"', "dialect: is not known; did you mean epic?"),
        ('dialect = "Canary"', "dialect: is not known; write one of 1.0, 1.1, epic, oracle, sandbox, standard"),
        ('topics_off = ["supportiveCare", "lungfunction"]', "topics_off: number 2: is not known; did you mean lungFunction?"),
        ('links = ["https://Canary.example"]', "links: must be a list of beginnings of https URLs, each at least to the slash"),
        ('links = ["https://u@Canary.example/"]', "links: number 1 must be https, without user"),
        ('links = ["javascript:Canary"]', "links: must be"),
        ("card_cap = 0", "card_cap: must be a whole number from 1 to 20"),
        ('origins = ["*"]', "origins: number 1 must be https, host and perhaps a port"),
        ('origins = ["https://canary.example/"]', "origins: number 1 must be https"),
        ("snooze_days = 91", "snooze_days: must be a whole number of days from 0 to 90"),
        ("snooze_days = 1979-05-27", "snooze_days: must be"),
    ],
)
def test_a_fault_names_client_key_and_remedy_and_never_the_value(line: str, words: str, written: Callable[[str], Path]) -> None:
    path = written(f"{HOSPITAL}{line}\n")
    with pytest.raises(ConfigurationError) as error:
        load_clients(path)
    text = str(error.value)
    assert text.startswith(f"{path}: client hospital: {words}")
    assert "canary" not in text.casefold().replace("colour", "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (NAME, "", "client number 1: name: is missing; write at most 64 letters"),
        (NAME, 'name = "two words"', "client number 1: name: must be at most 64 letters"),
        (NAME, 'name = "open"', "client number 1: name: must be at most 64 letters, digits and hyphens, and not the word open"),
        (NAME, 'name = "a\\nb"', "client number 1: name: must be"),
        (ISSUER, "", "client hospital: issuer: is missing; write the iss of its tokens"),
        (ISSUER, 'issuer = "a b"', "client hospital: issuer: must be the iss of its tokens"),
        (KEYS, "", "client hospital: keys: write exactly one of jwks_url"),
        (KEYS, KEYS.replace("https", "http"), "client hospital: jwks_url: must be https"),
        (KEYS, 'jwks_file = "no.json"', "client hospital: jwks_file: cannot be read"),
        (KEYS, 'jwks_file = "clients.toml"', "client hospital: jwks_file: is not JSON"),
        (KEYS, "jwks_file = 1", "client hospital: jwks_file: must be the name of a JSON file"),
        (KEYS, "jwks = {key = []}", "client hospital: jwks: must be its JWK Set"),
        (KEYS, "jwks = {keys = 1}", "client hospital: jwks: is not a JWK Set (not-a-jwk-set)"),
        (
            KEYS,
            "jwks = {keys = [{}]}",
            "client hospital: jwks: no key in it can verify with ES384 or RS384 (key 1: malformed); add",
        ),
    ],
)
def test_so_does_a_fault_of_what_every_client_needs(old: str, new: str, words: str, written: Callable[[str], Path]) -> None:
    path = written(HOSPITAL.replace(old, new))
    with pytest.raises(ConfigurationError) as error:
        load_clients(path)
    assert str(error.value).startswith(f"{path}: {words}")


@pytest.mark.requirement("J-20", "JWT-02")
def test_a_given_set_needs_a_key_for_one_of_the_algorithms(written: Callable[[str], Path]) -> None:
    document = {"keys": [jwk(private_key("P-256", "short"), kid="a"), jwk(private_key("RSA-1024", "weak"), kid="b")]}
    text = HOSPITAL.replace(KEYS, f"jwks = {inline(document)}")
    assert faults_of(written(text))[0].startswith(
        "client hospital: jwks: no key in it can verify with ES384 or RS384 (key 2: rsa-length);"
    )
    assert faults_of(written(f'{text}algorithms = ["ES256"]')) == []


# --- several clients


@pytest.mark.requirement("JWT-09")
@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("", "", "clients number 1 and 2: issuer: is the same, so each needs tenants, and none in common"),
        ('tenants = ["a"]', "", "issuer: is the same"),
        ('tenants = ["a"]', "tenants = []", "issuer: is the same"),
        ('tenants = ["a", "b"]', 'tenants = ["b", "c"]', "issuer: is the same"),
        ('tenants = ["a"]', 'tenants = ["b"]', None),
    ],
)
def test_clients_share_an_issuer_only_if_their_tenants_tell_them_apart(
    first: str, second: str, words: str | None, written: Callable[[str], Path]
) -> None:
    same_issuer = HOSPITAL.replace(NAME, 'name = "clinic"')
    faults = faults_of(written(f"{HOSPITAL}{first}\n{same_issuer}{second}\n"))
    assert [words in fault for fault in faults] == [True] if words else faults == []


def test_two_clients_have_two_names(written: Callable[[str], Path]) -> None:
    other = HOSPITAL.replace("https://hospital", "https://other")
    assert faults_of(written(HOSPITAL + other)) == ["clients number 1 and 2: name: is the same; give each its own"]


def test_all_faults_are_told_at_once_in_one_line_and_the_clients_without_one_are_read(written: Callable[[str], Path]) -> None:
    wrong = CLINIC + 'card_cap = "Canary"\ncolor = 1\nlongest_life = -1\n'
    path = written(HOSPITAL + wrong + "[[client]]\n")
    with pytest.raises(ConfigurationError) as error:
        load_clients(path)
    text = str(error.value)
    assert text.startswith(f"{path}: 6 faults: (1) client ")
    assert "\n" not in text
    for words in (
        "card_cap: must",
        "color: is not",
        "longest_life: must",
        "name: is missing",
        "issuer: is missing",
        "keys: write",
    ):
        assert text.count(words) == 1
    assert [client.name for client in read_clients(path)[0]] == ["hospital"]


# --- the site's own topics


def test_a_topic_that_the_site_added_can_be_switched_off(written: Callable[[str], Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "topics.yaml").write_text("localAdvice: {display: Local advice, rank: 11}\n")
    path = written(f'{HOSPITAL}topics_off = ["localAdvice"]\n')
    assert load_clients(path, site)[0].topics_off == {"localAdvice"}
    assert len(read_clients(path)[1]) == 1
    (site / "topics.yaml").write_text("localAdvice: 1\n")
    with pytest.raises(ConfigurationError, match=r"topics\.yaml"):
        load_clients(path, site)


@pytest.mark.requirement("JWT-16")
def test_the_documentation_says_that_a_proxy_which_repeats_a_call_looks_like_a_replay() -> None:
    (row,) = (line for line in DOCUMENTATION.read_text("utf-8").splitlines() if line.startswith("| `replayed` |"))
    assert "a proxy retries calls and must not" in row


def test_a_key_file_is_read_once_so_that_what_was_checked_is_what_is_used(
    written: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(EHR.jwks()))
    path = written(HOSPITAL.replace(KEYS, 'jwks_file = "keys.json"'))
    opened, open_file = [], Path.open

    def noted(self: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(self.name)
        return open_file(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    (client,) = load_clients(path)
    assert client.jwks is not None
    assert opened.count("keys.json") == 1
