"""The key of the seal in a PKCS#11 token: a smart card, a hardware module, or SoftHSM.

The token signs and never gives the key out; the certificates lie beside it, in a PEM file. What is
asked of the token is the raw mechanism of its key (CKM_ECDSA, CKM_RSA_PKCS) over a hash that is
made here: SoftHSM 2.6 knows no CKM_ECDSA_SHA256. Needs the extra ``batchqc[pkcs11]``.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from batchqc.documents.signing_keys import PublicKey
from batchqc.errors import SigningUnavailable

# DigestInfo of SHA-256 before its value (RFC 8017, 9.2, note 1).
_SHA256_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True, slots=True)
class Token:
    """Where a key is: the library of the token's maker, the token's label, and the key's label."""

    module: Path
    label: str
    key: str


# Who is signed in at a token is so for the whole process: one session after the other.
_ONE_AT_A_TIME: Final = Lock()


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key in a token, which is asked anew for each signature: it may come and go."""

    token: Token
    public: PublicKey
    _pin: str = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The signature over the SHA-256 of some bytes.

        Raises:
            SigningUnavailable: BQC-CRT-015 the token does not answer, or holds no such key.
        """
        digest = hashlib.sha256(data).digest()
        with _telling(self.token):
            import pkcs11  # noqa: PLC0415 - only who has a token needs it

            kind = pkcs11.KeyType.RSA if self._is_rsa else pkcs11.KeyType.EC
            where = pkcs11.ObjectClass.PRIVATE_KEY
            with _session(self.token, self._pin) as session:
                key = session.get_key(object_class=where, key_type=kind, label=self.token.key)
                if self._is_rsa:
                    raw = key.sign(_SHA256_INFO + digest, mechanism=pkcs11.Mechanism.RSA_PKCS)
                else:
                    raw = key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        return bytes(raw) if self._is_rsa else _as_der(bytes(raw))

    def public_key(self) -> PublicKey:
        """Its public half, from the certificate."""
        return self.public

    @property
    def _is_rsa(self) -> bool:
        return isinstance(self.public, rsa.RSAPublicKey)


def load_token_key(token: Token, public: PublicKey, pin: str) -> TokenKey:
    """The key, after it was seen to be that of the certificate.

    Raises:
        SigningUnavailable: BQC-CRT-015 the token does not answer, or signs with another key.
    """
    key = TokenKey(token, public, pin)
    data = b"batchqc: which key is this?"
    _check(token, public, key.sign(data), data)
    return key


def token_public_key(token: Token, pin: str) -> PublicKey:
    """The public half of a key, as the token tells it.

    Raises:
        SigningUnavailable: BQC-CRT-015 the token does not answer, or holds no such key.
    """
    with _telling(token):
        import pkcs11  # noqa: PLC0415 - only who has a token needs it
        from pkcs11.util.ec import encode_ec_public_key  # noqa: PLC0415 - an extra

        with _session(token, pin) as session:
            key = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=token.key)
            if key.key_type is pkcs11.KeyType.RSA:
                modulus, exponent = (
                    int.from_bytes(key[one])
                    for one in (pkcs11.Attribute.MODULUS, pkcs11.Attribute.PUBLIC_EXPONENT)
                )
                return rsa.RSAPublicNumbers(exponent, modulus).public_key()
            found = load_der_public_key(encode_ec_public_key(key))
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise _silent(token, "holds a key of another kind")
    return found


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of the seal from a PEM file: for releases, then for reviews.

    Raises:
        SigningUnavailable: BQC-CRT-010 no such file, BQC-CRT-012 no certificate inside.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as problem:
        raise SigningUnavailable(
            "BQC-CRT-010",
            f"the seal {path} cannot be read: {problem.strerror}",
            hint="Mount the seal where the settings say that it is.",
        ) from problem
    except ValueError as problem:
        raise SigningUnavailable(
            "BQC-CRT-012", f"{path} holds no certificates of the seal (PEM)"
        ) from problem


def _session(token: Token, pin: str) -> Any:
    import pkcs11  # noqa: PLC0415 - only who has a token needs it

    return pkcs11.lib(str(token.module)).get_token(token_label=token.label).open(user_pin=pin)


@contextmanager
def _telling(token: Token) -> Iterator[None]:
    """One at a time talks to tokens, and what they refuse is told."""
    try:
        from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415 - only who has a token needs it
    except ImportError as problem:
        raise _silent(token, "needs batchqc[pkcs11], which is not installed") from problem
    try:
        with _ONE_AT_A_TIME:
            yield
    except (PKCS11Error, RuntimeError, OSError) as problem:
        why = str(problem) or type(problem).__name__
        raise _silent(token, f"does not sign: {why}") from problem


def _check(token: Token, public: PublicKey, signature: bytes, data: bytes) -> None:
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise _silent(token, "signs with another key than the certificate's") from problem


def _as_der(raw: bytes) -> bytes:
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def _silent(token: Token, why: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-CRT-015",
        f'the token "{token.label}" with the key "{token.key}" {why}',
        hint="Connect the token, look at BATCHQC_TOKEN_*, then `batchqc certificate resume`.",
    )
