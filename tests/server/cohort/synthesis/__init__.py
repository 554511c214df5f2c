"""Made-up cohorts: the same for the same seed, in the proportions that are written down, and read as they were meant."""
