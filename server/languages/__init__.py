"""The same words in another language: the message catalogue, and the last step before a reader that uses it (decision 18)."""
