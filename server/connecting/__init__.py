"""Connecting an EHR: the connection sheet, and the doctor who says what would fail."""
