"""Lines by partition: what was written by many is found by whoever looks into one file, in the order in which it was written."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from server.cohort.pieces import lines_in, merged, packed, write_frames, write_with_table

PARTITIONS = 4
RUNS = st.lists(
    st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.sampled_from([b"a\n", b"bb\n", b"\n"])), max_size=6), max_size=5
)


@given(RUNS)
def test_each_partition_has_its_lines_in_the_order_of_the_files_that_were_put_together(
    runs: list[list[tuple[int, bytes]]],
) -> None:
    with TemporaryDirectory() as folder:
        files = []
        for number, run in enumerate(runs):
            files.append(Path(folder) / f"{number}")
            with files[-1].open("wb") as stream:
                write_frames(packed({one: b"".join(line for of, line in run if of == one) for one, _ in run}), stream)
        whole = Path(folder) / "whole"
        with whole.open("wb") as stream:
            write_with_table(merged(files), PARTITIONS, stream)
        found = [list(lines_in(whole, partition, PARTITIONS)) for partition in range(PARTITIONS)]
    assert found == [[line[:-1] for run in runs for of, line in run if of == one] for one in range(PARTITIONS)]
