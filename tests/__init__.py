"""The checks, one folder per room, written to be read as documentation."""
