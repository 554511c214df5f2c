"""Tools for those who review and change the knowledge."""
