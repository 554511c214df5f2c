"""Connecting an EHR."""
