"""What a Bitwarden client does with keys, so that the server never has to.

Only the controlling side imports this: organisation key, token seed and plaintext stay in its memory. The
server is handed SHA-256 of a client secret and finished EncStrings (`2.iv|ciphertext|mac`).
"""

import base64
import hmac
import json
import secrets
import string
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_SECRET_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 30
_SEED_BYTES = 16
_KEY_BYTES = 64
_BLOCK_BITS = 128


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class TamperedError(Exception):
    """An EncString's MAC does not fit the key."""


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """64 bytes: an AES-256 key, then an HMAC-SHA256 key."""

    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "SymmetricKey":
        """A fresh random key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def encrypt(self, text: str) -> str:
        """The EncString of a text."""
        padder = padding.PKCS7(_BLOCK_BITS).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        iv = secrets.token_bytes(16)
        encryptor = Cipher(AES(self.raw[:32]), CBC(iv)).encryptor()
        ciphertext = encryptor.update(padded) + encryptor.finalize()
        return f"2.{_b64(iv)}|{_b64(ciphertext)}|{_b64(self._mac(iv + ciphertext))}"

    def decrypt(self, enc_string: str) -> str:
        """The text of an EncString, or `TamperedError`."""
        iv, ciphertext, mac = (base64.b64decode(part) for part in enc_string.removeprefix("2.").split("|"))
        if not hmac.compare_digest(mac, self._mac(iv + ciphertext)):
            raise TamperedError("the MAC of an EncString does not fit the organisation key")
        decryptor = Cipher(AES(self.raw[:32]), CBC(iv)).decryptor()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()

    def _mac(self, message: bytes) -> bytes:
        return hmac.digest(self.raw[32:], message, "sha256")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One access token as the web vault shows it once."""

    client_id: str
    client_secret: str = field(repr=False)
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "AccessToken":
        """A fresh token."""
        secret = "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(_SECRET_LENGTH))
        return cls(str(uuid4()), secret, secrets.token_bytes(_SEED_BYTES))

    @property
    def text(self) -> str:
        """What a person copies: `0.<client id>.<client secret>:<seed>`."""
        return f"0.{self.client_id}.{self.client_secret}:{_b64(self.seed)}"

    @property
    def secret_hash(self) -> str:
        """All that the server may keep of the client secret."""
        return _b64(sha256(self.client_secret.encode()).digest())

    def wrap(self, organization_key: SymmetricKey) -> str:
        """The `encrypted_payload`: the organisation key, readable with this token's seed only."""
        payload = json.dumps({"encryptionKey": _b64(organization_key.raw)})
        return self._derived_key().encrypt(payload)

    def _derived_key(self) -> SymmetricKey:
        pseudo_random = hmac.digest(b"bitwarden-accesstoken", self.seed, "sha256")
        expand = HKDFExpand(hashes.SHA256(), length=_KEY_BYTES, info=b"sm-access-token")
        return SymmetricKey(expand.derive(pseudo_random))
