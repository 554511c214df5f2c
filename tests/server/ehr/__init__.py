"""Calling back to the EHR."""
