"""What a release is made of: its packages, their licences, and what is known against them (threats SUP-01 to SUP-04)."""
