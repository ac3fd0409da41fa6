"""Statistics that describe lots, and never decide on one: no verdict rests on a float."""
