"""Artefacts of the outside world: specification files, certificates, seals, the store."""
