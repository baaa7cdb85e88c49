"""The agent as a service: in the foreground, never idle, for one per node (Kubernetes, systemd)."""

from __future__ import annotations

from bitwarden_vault.agent.agent import prepared
from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.build import build
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.handover import Handover
from bitwarden_vault.settings import Settings
from bitwarden_vault.start import is_served, listen, start_lock


def serve_in_foreground(settings: Settings) -> None:
    """Be the agent of these settings until SIGTERM or SIGINT.

    Raises: Misconfigured (another one is there, or is being started).
    """
    path = socket_path(settings)
    with start_lock(path) as is_ours:
        if not is_ours or is_served(path):
            raise Misconfigured("an agent with these settings is running: end it with `agent --stop` first")
        listener = listen(path)
    with listener:
        prepared(Handover(settings, path, build()), listener, may_idle_out=False).run()
