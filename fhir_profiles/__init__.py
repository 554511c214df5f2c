"""What we read: FHIR in, a PatientRecord and an Assessment out."""
