"""Where the vault is and how to ask it: read once from the environment, all mistakes in one error.

Rules this file keeps:
- A mistake names the variable and the remedy, never a value.
- Nothing configured at all is an error of its own, so that a fresh drop-in can skip.
- The SDK drops settings it does not know and then talks to the US cloud: all the checking is here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bitwarden_vault.access_token import UUID, AccessToken, MalformedToken, parse_token
from bitwarden_vault.errors import Misconfigured, NothingConfigured

US_CLOUD = ("https://api.bitwarden.com", "https://identity.bitwarden.com")
TOKEN = "BWS_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
ORGANIZATION = "BWS_ORGANIZATION_ID"
PASSED_ON = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)
"""What the SDK itself reads from its environment."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_URL = re.compile(r"https://[^\s/?#]+(?:/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that client, agent and worker need to know."""

    token: AccessToken
    organization_id: str
    api_url: str = US_CLOUD[0]
    identity_url: str = US_CLOUD[1]
    network: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Trust store and proxy variables for the worker; a proxy address may hold a password."""
    socket_dir: str | None = None
    state_dir: str | None = None
    """Where the login may be kept on disk; None keeps it in memory."""
    deadline: float = 15.0
    """Seconds from the sending of one request to its answer."""
    patience: float = 300.0
    """Seconds that one call may wait for room in the rate limits, or for a login."""
    idle_exit: float = 900.0
    """Seconds without a request after which the agent leaves."""
    python: str | None = None
    """The interpreter that has `bitwarden-sdk`; None is the running one."""


def read_settings(environ: Mapping[str, str], *, prefer_token: str | None = None) -> Settings:
    """The settings in this environment.

    `prefer_token` names a variable (with its `_FILE` twin) that wins over `BWS_ACCESS_TOKEN` when set.
    Raises: NothingConfigured, Misconfigured (all mistakes at once).
    """
    reading = _Reading({name: text for name, text in environ.items() if text.strip()}, [])
    token = reading.token(prefer_token)
    organization = reading.organization()
    api_url, identity_url = reading.urls()
    reading.trust_store()
    durations = reading.durations()
    if token is None and not reading.speaks_of_a_vault(prefer_token):
        raise NothingConfigured(
            f"Bitwarden is not configured: set {TOKEN} (or {TOKEN}_FILE) and {ORGANIZATION}; "
            "for a server of your own also BWS_SERVER_URL",
        )
    if reading.mistakes or token is None:
        raise Misconfigured("Bitwarden settings cannot work: " + "; ".join(reading.mistakes))
    present = reading.environ
    return Settings(
        token=token,
        organization_id=organization,
        api_url=api_url,
        identity_url=identity_url,
        network=tuple((name, present[name]) for name in PASSED_ON if name in present),
        socket_dir=present.get("BITWARDEN_SOCKET_DIR"),
        state_dir=present.get("BITWARDEN_STATE_DIR"),
        deadline=durations["BITWARDEN_DEADLINE"],
        patience=durations["BITWARDEN_PATIENCE"],
        idle_exit=durations["BITWARDEN_IDLE_EXIT"],
        python=present.get("BITWARDEN_PYTHON"),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """One pass over the environment that collects mistakes instead of stopping at the first."""

    environ: dict[str, str] = field(repr=False)
    mistakes: list[str]

    def speaks_of_a_vault(self, prefer_token: str | None) -> bool:
        names = [TOKEN, f"{TOKEN}_FILE", ORGANIZATION, "BWS_SERVER_URL", "BWS_API_URL", "BWS_IDENTITY_URL"]
        if prefer_token:
            names += [prefer_token, f"{prefer_token}_FILE"]
        return any(name in self.environ for name in names)

    def token(self, prefer: str | None) -> AccessToken | None:
        preferred = prefer is not None and (prefer in self.environ or f"{prefer}_FILE" in self.environ)
        name = prefer if prefer and preferred else TOKEN
        from_file = self._file(f"{name}_FILE")
        direct = self.environ.get(name)
        if direct is not None and from_file is not None and direct.strip() != from_file:
            self.mistakes.append(f"{name} and {name}_FILE hold different tokens: keep one of them")
            return None
        text, source = (direct, name) if direct is not None else (from_file, f"{name}_FILE")
        if text is None:
            if f"{name}_FILE" not in self.environ:
                self.mistakes.append(f"{name} is missing: set it, or {name}_FILE to a file that holds it")
            return None
        try:
            return parse_token(text)
        except MalformedToken as wrong:
            self.mistakes.append(f"{source} is not an access token: {wrong}")
            return None

    def _file(self, name: str) -> str | None:
        path = self.environ.get(name)
        if path is None:
            return None
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs import time in every task
                text = file.read().strip()
        except (OSError, UnicodeDecodeError) as wrong:
            why = (wrong.strerror or "") if isinstance(wrong, OSError) else "not text"
            self.mistakes.append(f"{name}: the file cannot be read ({why})")
            return None
        if not text:
            self.mistakes.append(f"{name}: the file is empty")
            return None
        return text

    def organization(self) -> str:
        text = self.environ.get(ORGANIZATION)
        if text is None:
            self.mistakes.append(f"{ORGANIZATION} is missing: the id stands in the web vault's address bar")
            return ""
        if not UUID.fullmatch(text):
            self.mistakes.append(f"{ORGANIZATION} is not an id (a UUID), or has blanks around it")
        return text.lower()

    def urls(self) -> tuple[str, str]:
        server, api, identity = (self._url(f"BWS_{part}_URL") for part in ("SERVER", "API", "IDENTITY"))
        if server and (api or identity):
            self.mistakes.append(
                "BWS_SERVER_URL already says it all: remove BWS_API_URL and BWS_IDENTITY_URL"
            )
        if bool(api) != bool(identity):
            missing = "BWS_IDENTITY_URL" if api else "BWS_API_URL"
            self.mistakes.append(f"{missing} is missing: set both, or BWS_SERVER_URL alone")
        if server:
            return f"{server}/api", f"{server}/identity"
        if api and identity:
            return api, identity
        return US_CLOUD

    def _url(self, name: str) -> str | None:
        text = self.environ.get(name)
        if text is None:
            return None
        if text.startswith("http://"):
            self.mistakes.append(f"{name} must begin with https://; the SDK refuses http")
        elif not _URL.fullmatch(text):
            self.mistakes.append(f"{name} is not an https:// address, or has blanks, '?' or '#' in it")
        return text.rstrip("/")

    def trust_store(self) -> None:
        file, directory = self.environ.get("SSL_CERT_FILE"), self.environ.get("SSL_CERT_DIR")
        if file is not None and not os.access(file, os.R_OK):
            self.mistakes.append("SSL_CERT_FILE names a file that cannot be read")
        if directory is not None and not all(os.path.isdir(part) for part in directory.split(os.pathsep)):  # noqa: PTH112 - pathlib costs import time in every task
            self.mistakes.append("SSL_CERT_DIR names a directory that is not there")

    def durations(self) -> dict[str, float]:
        defaults = {"BITWARDEN_DEADLINE": 15.0, "BITWARDEN_PATIENCE": 300.0, "BITWARDEN_IDLE_EXIT": 900.0}
        return {name: self._duration(name, default) for name, default in defaults.items()}

    def _duration(self, name: str, default: float) -> float:
        text = self.environ.get(name)
        if text is None:
            return default
        match = _DURATION.fullmatch(text.strip())
        if match is None or float(match[1]) <= 0:
            self.mistakes.append(f"{name} is not a duration above zero: write seconds, or 15s, 5m, 1h")
            return default
        return float(match[1]) * _SECONDS[match[2]]
