"""No secret is in any file of the repository (SEC-01)."""

import json
import re
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

ROOT = Path(__file__).parent.parent

# Written in pieces, so that this file is not found by its own search.
PATTERNS = {
    "private key": "-----BEGIN [A-Z ]*PRIVATE" + " KEY-----\\s+[A-Za-z0-9+/=]{16}",
    "private JSON Web Key": r'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"',
    "signed token": r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "token of a code host": r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20})\b",
    "key of a cloud": r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "token of a package registry": r"\bpypi-[A-Za-z0-9_-]{40,}",
    # Not at this machine, at a name that nobody can have (RFC 2606), or at one without a domain: those are made up.
    "password in an address": r"[a-z][a-z0-9+.-]+://[^/\s:@\"'{}<>$]+:[^/\s:@\"'{}<>$]{6,}@(?!127\.|[\w.-]*\.example\b)[\w-]+\.\w",
    "value of a secret": r"(?i)\b(password|passwd|secret|api_?key|access_?token)\s*[=:]\s*[\"'][A-Za-z0-9+/_-]{24,}[\"']",
}
_SEARCH = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


def secrets_in(text: str) -> list[str]:
    """What kinds of secrets a text holds."""
    return [name for name, pattern in _SEARCH.items() if pattern.search(text)]


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every file of the repository that is a text: its name, and what it holds."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in listed.split("\0"):
        if (ROOT / name).is_file():
            content = (ROOT / name).read_bytes()
            if b"\0" not in content:
                yield name, content.decode("utf-8")


@pytest.mark.requirement("SEC-01")
def test_no_tracked_file_holds_a_secret() -> None:
    found = {name: secrets_in(text) for name, text in tracked_texts()}
    assert len(found) > 500
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("kind", PATTERNS)
def test_a_secret_would_be_noticed(kind: str) -> None:
    assert secrets_in(f"before\n{example_of(kind)}\nafter") == [kind]


def example_of(kind: str) -> str:
    """A secret of each kind, made now, so that this file holds none."""
    words, key = urlsafe_b64encode(b"none of these is used anywhere at all").decode(), ECKey.generate_key("P-256")
    return {
        "private key": key.as_pem(private=True).decode(),
        "private JSON Web Key": json.dumps(key.as_dict(private=True)),
        "signed token": jwt.encode({"alg": "ES256"}, {"iss": "https://nobody.example"}, key),
        "token of a code host": "ghp_" + "a1" * 18,
        "key of a cloud": "AKIA" + "A1" * 8,
        "token of a package registry": f"pypi-{words}",
        "password in an address": "postgresql://" + "user:very-secret@db.hospital.org/x",
        "value of a secret": f'api_key = "{words.rstrip("=")}"',
    }[kind]


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize(
    "text",
    [
        "https://host.example:8443/path",
        "postgresql://user@host/name",
        "https://a:password@b.example/",
        '"d": "short"',
        'secret = "x"',
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(text: str) -> None:
    assert secrets_in(text) == []
