"""What travels in every bundle: instructions, and scripts that need no batchqc.

The scripts import the standard library, cryptography, asn1crypto, and each other.
"""
