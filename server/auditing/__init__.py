"""What was done, for whom, and what was answered: one record to a call, which nobody can change unnoticed."""
