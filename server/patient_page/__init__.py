"""The page for one patient: the whole reasoning, for whoever opens the app from a card or from the chart."""
