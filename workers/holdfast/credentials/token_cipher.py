"""Tokens at rest are encrypted: AES-256-GCM under a key that never lies beside them."""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"1"
NONCE = 12  # bytes
COST = 2**14  # scrypt's; a key is derived once per secret and process


class TokenCipher:
    """``passphrase`` is HOLDFAST_TOKEN_KEY or the issuer's client secret.

    ``purpose`` says which token of which issuer this is: what was encrypted for another one does not open.
    """

    def __init__(self, passphrase: str, purpose: str) -> None:
        self._cipher = AESGCM(_key(passphrase))
        self._purpose = purpose.encode()

    def encrypt(self, plain: bytes) -> str:
        nonce = os.urandom(NONCE)
        return urlsafe_b64encode(VERSION + nonce + self._cipher.encrypt(nonce, plain, self._purpose)).decode()

    def decrypt(self, sealed: str) -> bytes | None:
        """Return the plain bytes; None when they were encrypted for something else, under another key, or changed."""
        try:
            raw = urlsafe_b64decode(sealed.encode())
            if raw[:1] != VERSION:
                return None
            return self._cipher.decrypt(raw[1 : 1 + NONCE], raw[1 + NONCE :], self._purpose)
        except (InvalidTag, ValueError):
            return None


@cache
def _key(passphrase: str) -> bytes:
    """Stretch the passphrase, so that a guessable one does not fall to whoever reads Redis."""
    return hashlib.scrypt(passphrase.encode(), salt=b"holdfast token", n=COST, r=8, p=1, dklen=32)
