"""What those who run the service can see of it: logs, figures and traces; never a patient."""
