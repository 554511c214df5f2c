"""Which build this is."""

from pathlib import Path

import pytest

from server.build_information import commit_of, git_commit, software_version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_version_is_that_of_the_distribution() -> None:
    assert software_version().count(".") == 2


def test_the_commit_may_be_named_by_whoever_built_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    git_commit.cache_clear()
    monkeypatch.setenv("MYOSITIS_CDS_COMMIT", COMMIT.upper())
    assert git_commit() == COMMIT
    git_commit.cache_clear()


def test_a_branch_a_packed_branch_and_a_detached_head_are_followed(tmp_path: Path) -> None:
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (tmp_path / "packed-refs").write_text(f"# pack-refs with: peeled\n{COMMIT} refs/heads/main\n", "utf-8")
    assert commit_of(tmp_path) == COMMIT
    (tmp_path / "refs" / "heads").mkdir(parents=True)
    (tmp_path / "refs" / "heads" / "main").write_text("f" * 40, "utf-8")
    assert commit_of(tmp_path) == "f" * 40
    (tmp_path / "HEAD").write_text(COMMIT, "utf-8")
    assert commit_of(tmp_path) == COMMIT


def test_without_git_the_commit_is_not_known(tmp_path: Path) -> None:
    assert commit_of(tmp_path / ".git") is None
    (tmp_path / "HEAD").write_text("ref: refs/heads/unborn", "utf-8")
    assert commit_of(tmp_path) is None
