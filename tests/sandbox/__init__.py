"""The sandbox: synthetic patients, and the page that shows them with their cards."""
