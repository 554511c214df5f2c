"""The knowledge, published: as FHIR, and as pages for people."""
