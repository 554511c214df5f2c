"""Measuring what the documentation promises: `make bench`; the figures are in `docs/performance.md`.

Each group is a module with a function `run`, started in a process of its own, which returns what is written to
`results/NAME.json`; `goals` says what is promised, and `page` makes the page of all of it. What is promised is always a ratio of
two things measured in turns, since a machine's pace changes from minute to minute.
"""
