"""Trials that take minutes: load, faults and attack against a service that really runs. `make soak`, or `python -m soak NAME`."""
