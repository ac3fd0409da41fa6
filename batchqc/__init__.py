"""batchqc: batch release quality control for cell therapy products."""

from importlib.metadata import version

__version__ = version("batchqc")
