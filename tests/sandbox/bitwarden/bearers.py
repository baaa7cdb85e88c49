"""Bearers: RS256 JWTs, validated offline.

A bearer names the machine account and stays good until it expires, whatever happens to the access token that
bought it. API hosts tolerate 300 s of clock skew.
"""

from dataclasses import dataclass
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.bitwarden.clock import Clock

DEFAULT_LIFETIME = 3600
SKEW_SECONDS = 300
_UNCHECKED = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a bearer speaks for."""

    account: str
    token_id: str


class Bearers:
    """Issues and reads bearers."""

    def __init__(self, clock: Clock, organization_id: str) -> None:
        self.lifetime: float = DEFAULT_LIFETIME
        self._clock = clock
        self._organization_id = organization_id
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def issue(self, caller: Caller) -> str:
        """A bearer for the caller, from now on for the lifetime."""
        now = self._clock.seconds()
        claims = {
            "iss": "https://localhost/identity",
            "nbf": int(now),
            "iat": int(now),
            "exp": int(now + self.lifetime),
            "client_id": caller.token_id,
            "sub": caller.account,
            "organization": self._organization_id,
            "type": "ServiceAccount",
            "scope": ["api.secrets"],
            "jti": uuid4().hex,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"typ": "at+jwt"})

    def read(self, authorization: str) -> Caller | None:
        """The caller, or None when there is no good bearer."""
        scheme, _, token = authorization.partition(" ")
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=_UNCHECKED)  # type: ignore[arg-type]  # a plain dict of booleans
        except jwt.InvalidTokenError:
            return None
        if scheme.lower() != "bearer" or claims["exp"] + SKEW_SECONDS <= self._clock.seconds():
            return None
        return Caller(claims["sub"], claims["client_id"])
