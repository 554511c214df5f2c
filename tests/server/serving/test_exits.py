"""What a process says that cannot begin: one line with the cause, and an exit code."""

import errno
from pathlib import Path

import pytest

from cards.verdicts import RuleError
from fhir_profiles.codes import TerminologyError
from server.config import ConfigurationError
from server.serving.exits import said, said_of_port
from server.store.errors import StoreError
from server.warm_up import SelfTestError


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        (ConfigurationError("a setting"), 2, "a setting"),
        (RuleError("a rule"), 2, "a rule"),
        (TerminologyError(Path("codes.json"), "no JSON", "restore it"), 2, "codes.json: no JSON; restore it"),
        (SelfTestError("no card"), 2, "no card"),
        (StoreError("the database"), 1, "the database"),
        (OSError(errno.EMFILE, "Too many open files"), 1, "Too many open files"),
        (PermissionError(errno.EACCES, "Permission denied", "/etc/key"), 1, "/etc/key: Permission denied"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    trouble: Exception, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end, said():
        raise trouble
    assert (end.value.code, capsys.readouterr().err) == (code, f"myositis-cds: {words}\n")


@pytest.mark.requirement("PR-06")
def test_only_where_the_port_is_opened_the_port_is_to_blame(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, said_of_port():
        raise OSError(errno.EADDRINUSE, "Address already in use")
    assert end.value.code == 1
    assert capsys.readouterr().err == (
        "myositis-cds: the port cannot be listened to (Address already in use); choose another with --port\n"
    )


@pytest.mark.requirement("PR-06")
def test_a_fault_of_ours_is_not_taken_for_one_of_these() -> None:
    with pytest.raises(ValueError, match="ours"), said():
        raise ValueError("ours")
