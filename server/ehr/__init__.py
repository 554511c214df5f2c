"""Calling back to the EHR: bounded, in parallel, and only where a client is registered for it."""
