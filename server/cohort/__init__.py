"""Cohort runs: the same evaluation for every patient of a registry, out of core, on one machine or on a Dask cluster."""
