"""Cases with certified or published answers: read, computed and compared."""
