"""How the tables came to be what they are: one file to a revision, run by Alembic, never changed once it was released."""
