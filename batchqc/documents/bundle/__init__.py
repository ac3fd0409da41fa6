"""What travels in every bundle: instructions, and scripts that need no batchqc.

The scripts import the standard library, each other, and the stand-alone verifier of certificates,
which lies beside them in a bundle.
"""
