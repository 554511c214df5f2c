"""Whoever reads a part of a file reads the lines that begin in it, and each has its place."""

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cohort import lines
from server.cohort.inputs import Part, find_inputs
from server.cohort.lines import lines_of

LINES = st.lists(st.sampled_from(['{"a":1}', '{"b":"\\u00e4 long one"}', "", "  ", "no json", "[]"]), max_size=12)


@given(LINES, st.integers(1, 30), st.booleans())
def test_however_a_file_is_cut_each_line_is_read_once_and_has_its_number(written: list[str], size: int, is_ended: bool) -> None:
    text = "\n".join(written) + ("\n" if is_ended and written else "")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "Observation.ndjson"
        path.write_text(text, "utf-8")
        parts = [part for task in find_inputs(Path(folder), size).tasks for part in task]
        read = [[line.raw.decode() for line in lines_of(part)] for part in parts]
    assert [line for of_part in read for line in of_part] == [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_compressed_file_is_read_from_its_beginning_to_its_end(tmp_path: Path, ending: str, pack: object) -> None:
    path = tmp_path / f"Patient.ndjson{ending}"
    path.write_bytes(pack(b'{"n":1}\n{"n":2}\n'))  # type: ignore[operator]
    ((part,),) = find_inputs(tmp_path).tasks
    assert [line.value for line in lines_of(part)] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
@pytest.mark.parametrize("damage", ["cut", "changed", "none of it"])
def test_what_a_damaged_file_still_holds_is_read_and_the_damage_is_said(
    tmp_path: Path, ending: str, pack: object, damage: str
) -> None:
    whole: bytes = pack(b"".join(b'{"n":%d}\n' % number for number in range(20_000)))  # type: ignore[operator]
    spoilt = {"cut": whole[: len(whole) // 2], "changed": whole[:-30] + b"x" * 30, "none of it": b"no archive"}[damage]
    (tmp_path / f"Patient.ndjson{ending}").write_bytes(spoilt)
    ((part,),) = find_inputs(tmp_path).tasks
    read = list(lines_of(part))
    assert read[-1].problem is not None
    assert "fetch it again" in read[-1].problem
    good = sum(line.problem is None for line in read)
    assert good == {"cut": len(read) - 1, "changed": good, "none of it": 0}[damage]


def test_a_line_too_long_to_hold_is_passed_over_and_the_next_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 30)
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"n":1}\n{"n":"' + b"x" * 100 + b'"}\n{"n":3}\n')
    read = list(lines_of(Part(str(path), 0, path.stat().st_size)))
    assert [line.value for line in read] == [{"n": 1}, None, {"n": 3}]
    assert read[1].problem is not None


def test_a_line_that_goes_through_several_parts_is_never_held_and_is_a_bad_line_of_the_first_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 2**20)
    path = tmp_path / "Observation.ndjson"
    path.write_bytes(b'{"n":1}\n{"n":"' + b"x" * (40 * 2**20) + b'"}\n{"n":3}\n')
    parts = [part for task in find_inputs(tmp_path, 10 * 2**20).tasks for part in task]
    tracemalloc.start()
    read = [[(line.number, line.value, line.is_damage) for line in lines_of(part)] for part in parts]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == [[(1, {"n": 1}, False), (2, None, True)], [], [], [], [(1, {"n": 3}, False)]]
    assert peak < 8 * 2**20


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"n":1}\n')
    assert [line.value for line in lines_of(Part(str(path), 0, path.stat().st_size))] == [{"n": 1}]


@pytest.mark.requirement("IN-03", "IN-04")
@pytest.mark.parametrize("bad", ['{"a":', '{"a":1,"a":2}', "[" * 100 + "]" * 100, '{"a":NaN}', '"\\ud800"'])
def test_lines_are_held_to_the_same_json_as_requests(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(f"{bad}\n", "utf-8")
    (line,) = lines_of(Part(str(path), 0, path.stat().st_size))
    assert line.problem is not None
    assert line.value is None
