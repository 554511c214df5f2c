"""YAML as clinicians write it."""

from pathlib import Path

import pytest

from fhir_profiles.yaml_files import YamlError, line_of, read_yaml


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "some.yaml"
    file.write_text(text, "utf-8")
    return file


def test_words_that_older_yaml_takes_for_truth_values_are_words(tmp_path: Path) -> None:
    file = written(tmp_path, "on: [off, yes, no, On, NO]\nflags: [true, false]\n")
    assert read_yaml(file) == {"on": ["off", "yes", "no", "On", "NO"], "flags": [True, False]}


def test_a_date_is_text_and_a_number_is_a_number(tmp_path: Path) -> None:
    assert read_yaml(written(tmp_path, "[2026-11-22, 2026-11, 2026, 4.5, null]")) == ["2026-11-22", "2026-11", 2026, 4.5, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"some\.yaml:3: .*`a` stands here twice"),
        ("a:\n  - b: [1\n", r"some\.yaml:\d: not YAML"),
        ("a: \x01", r"some\.yaml"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        read_yaml(written(tmp_path, text))


def test_a_file_that_is_not_utf_8_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: Sjögren".encode("latin-1"))
    with pytest.raises(YamlError, match="is not UTF-8"):
        read_yaml(tmp_path / "latin.yaml")
    with pytest.raises(YamlError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("place", "line"), [((), 1), (("b",), 2), (("b", 1), 4), (("b", 1, "d"), 5), (("b", 1, "x"), 4), (("c",), 1)]
)
def test_the_line_of_a_part_is_found(tmp_path: Path, place: tuple[str | int, ...], line: int) -> None:
    assert line_of(written(tmp_path, "a: 1\nb:\n  - 1\n  - c: 2\n    d: 3\n"), place) == line
