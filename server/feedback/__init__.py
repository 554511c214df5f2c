"""What became of the cards: feedback, its figures, and advice that was asked to be quiet."""
