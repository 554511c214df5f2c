"""The report of a run: one HTML file with charts, with numbers of patients and without any patient."""
