"""Values and rules. No SQL, files, clock, randomness, HTTP or float."""
