"""Bulk Data Access: `$export` of all patients, of a group, or of everything (https://hl7.org/fhir/uv/bulkdata/, 2.0 and 3.0)."""
