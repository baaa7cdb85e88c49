"""The token endpoint: a client secret in, a bearer and the wrapped organisation key out.

Every credential problem is one and the same 400.
"""

import base64
import hmac
from hashlib import sha256

from sandbox.bitwarden.bearers import Bearers, Caller
from sandbox.bitwarden.messages import Refused, Reply, Request, answer, encode
from sandbox.bitwarden.store import Store, TokenRow

TOKEN_PATH = "/identity/connect/token"


def log_in(store: Store, bearers: Bearers, request: Request) -> Reply:
    """Client-credentials grant."""
    if request.form("grant_type") != "client_credentials":
        raise _refused("unsupported_grant_type")
    if request.form("scope") != "api.secrets":
        raise _refused("invalid_scope")
    token = _known(store, request)
    return answer(
        {
            "access_token": bearers.issue(Caller(token.account, token.client_id)),
            "expires_in": int(bearers.lifetime),
            "token_type": "Bearer",
            "scope": "api.secrets",
            "encrypted_payload": token.encrypted_payload,
        }
    )


def _known(store: Store, request: Request) -> TokenRow:
    token = store.tokens.get(request.form("client_id") or "")
    given = base64.b64encode(sha256((request.form("client_secret") or "").encode()).digest()).decode()
    if token is None or token.revoked or not hmac.compare_digest(given, token.secret_hash):
        raise _refused("invalid_client")
    return token


def _refused(reason: str) -> Refused:
    return Refused(Reply(400, encode({"error": reason})))
