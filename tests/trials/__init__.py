"""Trials of a real service under load and faults: functions that tests run for seconds, and `python -m soak` for minutes."""
