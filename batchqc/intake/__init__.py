"""From bytes to measurements and problems."""
