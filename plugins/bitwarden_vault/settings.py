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

from bitwarden_vault.access_token import UUID, AccessToken
from bitwarden_vault.audit.settings import read_audit_settings
from bitwarden_vault.errors import Misconfigured, NothingConfigured
from bitwarden_vault.state_settings import read_state_settings
from bitwarden_vault.token_reading import TOKEN, read_tokens, slots_of
from bitwarden_vault.untyped import Any

US_CLOUD = ("https://api.bitwarden.com", "https://identity.bitwarden.com")
ORGANIZATION = "BWS_ORGANIZATION_ID"
CACHE_LIFE = "BITWARDEN_CACHE_LIFE"
ADDRESSES = frozenset({"BWS_SERVER_URL", "BWS_API_URL", "BWS_IDENTITY_URL"})
_NAMES_A_USER = re.compile(r"https://[^/?#]*@")
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

AWS = "AWS_"
"""How the variables begin that say who asks AWS for a token that lies there, and where."""

_DURATIONS = {
    "deadline": "BITWARDEN_DEADLINE",
    "patience": "BITWARDEN_PATIENCE",
    "idle_exit": "BITWARDEN_IDLE_EXIT",
    "cache_life": CACHE_LIFE,
}
"""By the field of `Settings` that each of them sets."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 864_000.0
"""Seconds; what is longer is a slip, and the agent takes it for no request of ours (`request_form`)."""
_URL = re.compile(r"https://[^\s/?#]+(?:/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that client, agent and worker need to know."""

    token: AccessToken
    organization_id: str
    next_token: AccessToken | None = None
    """Goes on when Bitwarden refuses the first."""
    next_is_wrong: str = ""
    """Why the second slot is filled and cannot be used."""
    api_url: str = US_CLOUD[0]
    identity_url: str = US_CLOUD[1]
    network: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Trust store, proxy and AWS variables for the worker; a proxy address may hold a password."""
    socket_dir: str | None = None
    state_dir: str | None = None
    """Where the login may be kept on disk; None keeps it in memory."""
    deadline: float = 15.0
    """Seconds from the sending of one request to its answer."""
    patience: float = 300.0
    """Seconds that one call may wait for room in the rate limits, or for a login."""
    idle_exit: float = 900.0
    """Seconds without a request after which the agent leaves."""
    cache_life: float = 60.0
    """Seconds that the agent keeps a value that was looked up by name, 0 for none; a note may say less."""
    audit_path: str | None = None
    """Directory of the audit trail; None writes none."""
    audit_checkpoint: str | None = None
    """Directory of its checkpoints; None is one inside it."""
    audit_key_file: str | None = None
    audit_required: bool = False
    """Serve nobody while the trail cannot be written."""
    state_path: str | None = None
    """Where readers of versions are published; None publishes nothing."""
    state_network: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What the libraries of an object store read from their environment."""
    is_state_path_chosen: bool = False
    """Somebody named it, so that it makes two agents different."""
    is_rotation_here: bool = False
    """Values are rotated: who reads one that never was is a reader too."""
    python: str | None = None
    """The interpreter that has `bitwarden-sdk`; None is the running one."""

    @property
    def tokens(self) -> tuple[AccessToken, ...]:
        """One or two, in the order in which they are used."""
        return (self.token,) if self.next_token is None else (self.token, self.next_token)

    @property
    def audit(self) -> tuple[object, ...]:
        """What makes two trails different."""
        return self.audit_path, self.audit_checkpoint, self.audit_key_file, self.audit_required


def read_settings(environ: Mapping[str, str], *, prefer_token: str | None = None) -> Settings:
    """The settings in this environment.

    `prefer_token` names a variable that wins over `BWS_ACCESS_TOKEN`, with its second slot, when it is set.
    Raises: NothingConfigured, Misconfigured (all mistakes at once).
    """
    reading = _Reading({name: text for name, text in environ.items() if text.strip()}, [])
    tokens = read_tokens(reading.environ, prefer_token)
    reading.mistakes.extend(tokens.mistakes)
    organization = reading.organization()
    api_url, identity_url = reading.urls()
    reading.trust_store()
    durations = reading.durations()
    audit = read_audit_settings(reading.environ, reading.mistakes)
    if tokens.first is None and not reading.speaks_of_a_vault(prefer_token):
        raise NothingConfigured(
            f"Bitwarden is not configured: set {TOKEN} (or {TOKEN}_FILE) and {ORGANIZATION}; "
            "for a server of your own also BWS_SERVER_URL",
        )
    if reading.mistakes or tokens.first is None:
        raise Misconfigured("Bitwarden settings cannot work: " + "; ".join(reading.mistakes))
    present = reading.environ
    return Settings(
        token=tokens.first,
        organization_id=organization,
        next_token=tokens.next,
        next_is_wrong=tokens.next_is_wrong,
        api_url=api_url,
        identity_url=identity_url,
        network=_passed_on(
            present, is_aws_asked=any((tokens.first.source, tokens.next and tokens.next.source))
        ),
        socket_dir=present.get("BITWARDEN_SOCKET_DIR"),
        state_dir=present.get("BITWARDEN_STATE_DIR"),
        python=present.get("BITWARDEN_PYTHON"),
        **durations,
        **read_state_settings(present),
        **audit,
    )


def _passed_on(environ: Mapping[str, str], *, is_aws_asked: bool) -> tuple[tuple[str, str], ...]:
    aws = sorted(name for name in environ if is_aws_asked and name.startswith(AWS))
    return tuple((name, environ[name]) for name in (*PASSED_ON, *aws) if name in environ)


def overlaid(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment with these variables, without what they replace: a token as a whole, and addresses."""
    if not given:
        return dict(environ)
    replaced: set[str] = set()
    if not slots_of(TOKEN).isdisjoint(given):
        replaced |= slots_of(TOKEN)  # a second slot of another account would be worse than none
    if not ADDRESSES.isdisjoint(given):
        replaced |= ADDRESSES
    return {**{name: text for name, text in environ.items() if name not in replaced}, **given}


def renamed(message: str, names: Mapping[str, str]) -> str:
    """What is said of variables, by the names under which somebody gave them instead."""
    return re.sub(r"\bB[A-Z_]+\b", lambda found: names.get(found[0], found[0]), message)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One pass over the environment that collects mistakes instead of stopping at the first."""

    environ: dict[str, str] = field(repr=False)
    mistakes: list[str]

    def speaks_of_a_vault(self, prefer_token: str | None) -> bool:
        tokens = slots_of(TOKEN) | slots_of(prefer_token or TOKEN)
        return not (tokens | ADDRESSES | {ORGANIZATION}).isdisjoint(self.environ)

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
        elif _NAMES_A_USER.match(text):  # it would be shown in every message that names the place
            self.mistakes.append(f"{name} names a user or a password: leave out what stands before the '@'")
        elif not _URL.fullmatch(text):
            self.mistakes.append(f"{name} is not an https:// address, or has blanks, '?' or '#' in it")
        return text.rstrip("/")

    def trust_store(self) -> None:
        file, directory = self.environ.get("SSL_CERT_FILE"), self.environ.get("SSL_CERT_DIR")
        if file is not None and not os.access(file, os.R_OK):
            self.mistakes.append("SSL_CERT_FILE names a file that cannot be read")
        if directory is not None and not all(os.path.isdir(part) for part in directory.split(os.pathsep)):  # noqa: PTH112 - pathlib costs import time in every task
            self.mistakes.append("SSL_CERT_DIR names a directory that is not there")

    def durations(self) -> dict[str, Any]:
        """Those that are said, by the name of their field; the others are as `Settings` has them."""
        said = {setting: self._duration(name) for setting, name in _DURATIONS.items()}
        return {setting: seconds for setting, seconds in said.items() if seconds is not None}

    def _duration(self, name: str) -> float | None:
        text = self.environ.get(name)
        if text is None:
            return None
        match = _DURATION.fullmatch(text.strip())
        if match is None or (float(match[1]) == 0 and name != CACHE_LIFE):
            above, more = ("", "; 0 remembers no value") if name == CACHE_LIFE else (" above zero", "")
            self.mistakes.append(f"{name} is not a duration{above}: write seconds, or 15s, 5m, 1h{more}")
            return None
        seconds = float(match[1]) * _SECONDS[match[2]]
        if seconds > LONGEST:
            self.mistakes.append(f"{name} is longer than {LONGEST / 3600:g}h")
            return None
        return seconds
