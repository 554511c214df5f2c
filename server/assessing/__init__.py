"""A chart given whole: the Assess JSON, for people and for machines."""
