"""What a starter hands its agent, through a pipe: arguments and environment are there for others to see."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bitwarden_vault.access_token import parse_token, sourced_token
from bitwarden_vault.settings import Settings
from bitwarden_vault.untyped import Any

_PLAIN = ("organization_id", "api_url", "identity_url", "socket_dir", "state_dir", "python")
_STATE = ("state_path", "is_rotation_here")
_AUDIT = ("audit_path", "audit_checkpoint", "audit_key_file", "audit_required")
_SECONDS = ("deadline", "patience", "idle_exit", "cache_life")
_NAMES = (*_PLAIN, *_STATE, *_SECONDS, *_AUDIT)


@dataclass(frozen=True, slots=True)
class Handover:
    """All that an agent begins with, beside its listening socket."""

    settings: Settings
    path: str
    """Where its socket lies."""
    build: int
    """The version of the package that the starter found on the disk."""


def pack_handover(handover: Handover) -> bytes:
    """As it goes through the pipe."""
    settings = handover.settings
    packed: dict[str, Any] = {name: getattr(settings, name) for name in _NAMES}
    tokens = [(one.text, one.place, one.source) for one in settings.tokens]
    packed |= {"tokens": tokens, "network": settings.network, "state_network": settings.state_network}
    return json.dumps({"settings": packed, "path": handover.path, "build": handover.build}).encode()


def unpack_handover(packed: bytes) -> Handover:
    """As it came out of the pipe. Raises: ValueError (the starter died while it wrote)."""
    found = json.loads(packed)
    given = found["settings"]
    token, *more = [
        sourced_token(source, place) if source else parse_token(text, place)
        for text, place, source in given["tokens"]
    ]
    settings = Settings(
        token=token,
        next_token=more[0] if more else None,
        network=tuple((name, text) for name, text in given["network"]),
        state_network=tuple((name, text) for name, text in given["state_network"]),
        **{name: given[name] for name in _NAMES},
    )
    return Handover(settings, found["path"], found["build"])
