"""Measuring what the documentation promises; see `docs` for the figures."""
