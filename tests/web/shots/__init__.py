"""The screens of the guide by area: each module has a ``tour``, and may ``prepare`` records."""
