"""What can go wrong between a caller and Bitwarden, told apart by what the caller may do next.

Rules this file keeps:
- A message names the place, the remedy and the ids; never a value, never a token.
- `kind` is the error's name on the wire between worker, agent and client; nobody matches message text.
- Everything except `OutcomeUnknown` means: for certain, nothing was changed.
"""

from __future__ import annotations

UNAUTHORIZED = "unauthorized"
"""The one kind that is no error of ours: a worker's word to its agent, which logs in anew."""
NO_PERMISSION = "no such project or secret, or no (write) permission for this account"


class VaultError(Exception):
    """Base of everything that this package raises on purpose."""

    kind = "vault"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds after which asking again makes sense, where the server told."""


class Unreachable(VaultError):
    """No usable answer: refused, DNS, TLS, proxy, reset, or the server's own trouble (5xx)."""

    kind = "unreachable"


class NoAnswerInTime(Unreachable):
    """The server took the request and stayed silent until the deadline."""

    kind = "no_answer"


class Blocked(Unreachable):
    """Something on the way answered in Bitwarden's place, with a web page instead of JSON."""

    kind = "blocked"


class AgentUnavailable(Unreachable):
    """The agent on this host could not be started or reached; Bitwarden was not asked."""

    kind = "agent"


class RefusedToken(VaultError):
    """Bitwarden does not accept the access token."""

    kind = "refused_token"


class NotFound(VaultError):
    """No such project or secret, or no permission: the server does not tell these apart."""

    kind = "not_found"


class Ambiguous(VaultError):
    """Several secrets have the name that was looked up; none is guessed at."""

    kind = "ambiguous"


class NoPermission(NotFound):
    """A delete that was refused item by item: the secrets are there, but not ours to delete."""

    kind = "no_permission"


class RateLimited(VaultError):
    """Too many requests, and the time left for waiting is shorter than what the server asks for."""

    kind = "rate_limited"


class InvalidRequest(VaultError):
    """The request breaks a limit (length, blank, malformed id); sending it again cannot help."""

    kind = "invalid_request"


class OutcomeUnknown(VaultError):
    """A write was sent and its answer lost: it may have happened, or may still happen.

    Read back and compare; never send a create again before the list shows that it is not there.
    """

    kind = "outcome_unknown"


class Misconfigured(VaultError):
    """Settings or installation cannot work as they are."""

    kind = "misconfigured"


class NoToken(Misconfigured):
    """There is no access token where the settings say that one lies."""

    kind = "no_token"


class NothingConfigured(Misconfigured):
    """A fresh drop-in: no setting of ours is filled in at all."""

    kind = "nothing_configured"


KINDS: dict[str, type[VaultError]] = {
    error.kind: error
    for error in (
        VaultError,
        Unreachable,
        NoAnswerInTime,
        Blocked,
        AgentUnavailable,
        RefusedToken,
        NotFound,
        Ambiguous,
        NoPermission,
        RateLimited,
        InvalidRequest,
        OutcomeUnknown,
        Misconfigured,
        NoToken,
        NothingConfigured,
    )
}


def from_wire(error: dict[str, object]) -> VaultError:
    """The error that the other end of the socket meant; an unknown kind stays a plain `VaultError`."""
    retry_after = error.get("retry_after")
    return KINDS.get(str(error.get("kind")), VaultError)(
        str(error.get("message", "")),
        retry_after=float(retry_after) if isinstance(retry_after, (int, float)) else None,
    )


def to_wire(error: VaultError) -> dict[str, object]:
    """What crosses the socket."""
    return {"kind": error.kind, "message": error.message, "retry_after": error.retry_after}
