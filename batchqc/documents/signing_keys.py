"""The private key of the seal, wherever it lies: in a file, or in a token that never gives it out.

Whoever seals knows ``SigningKey`` only. Keys are ECDSA P-256 or RSA of at least 3072 bits.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
RSA_BITS: Final = 3072


class SigningKey(Protocol):
    """A private key that is ready for use."""

    def sign(self, data: bytes) -> bytes:
        """The signature over the SHA-256 of some bytes: ECDSA as DER, or RSA PKCS #1 v1.5.

        Raises:
            SigningUnavailable: the key cannot be reached now.
        """
        ...

    def public_key(self) -> PublicKey:
        """Its public half."""
        ...


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key that was read from a file, once."""

    private: PrivateKey

    def sign(self, data: bytes) -> bytes:
        """The signature over the SHA-256 of some bytes."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))

    def public_key(self) -> PublicKey:
        """Its public half."""
        return self.private.public_key()


def is_accepted(public: object) -> bool:
    """Whether a seal may have such a key."""
    if isinstance(public, rsa.RSAPublicKey):
        return public.key_size >= RSA_BITS
    return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)
