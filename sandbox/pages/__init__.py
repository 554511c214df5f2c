"""What the clinician at the screen sees, one blueprint to a page."""
