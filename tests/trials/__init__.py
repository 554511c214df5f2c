"""Long trials of the running service, for `make soak`; the tests run a short form of each."""
