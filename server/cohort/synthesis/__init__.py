"""Made-up cohorts: charts that are plausible one by one, in published proportions, as FHIR Bulk Data to try a cohort run on.

Nothing here is about anybody, and nothing that advises reads it.
"""
