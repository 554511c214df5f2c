"""Who may call: registered clients, their tokens and keys."""
