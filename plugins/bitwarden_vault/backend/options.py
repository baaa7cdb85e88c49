"""What `[secrets] backend_kwargs` may say, read once and all mistakes told at once.

Rules this file keeps:
- Values arrive as JSON (`backend_kwargs`) or as raw texts (`AIRFLOW__SECRETS__BACKEND_KWARG__…`); both work.
- An unknown name is told with the nearest one that exists; a token has no place in Airflow's configuration.
- The names are those of the other providers' backends wherever they mean the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.errors import Misconfigured

KINDS = ("connections", "variables", "config")
FAIL, FALL_THROUGH = "fail", "fall_through"
SETTINGS = {
    "access_token_file": "BWS_ACCESS_TOKEN_FILE",
    "access_token_from": "BWS_ACCESS_TOKEN_FROM",
    "access_token_next_file": "BWS_ACCESS_TOKEN_NEXT_FILE",
    "access_token_next_from": "BWS_ACCESS_TOKEN_NEXT_FROM",
    "organization_id": "BWS_ORGANIZATION_ID",
    "server_url": "BWS_SERVER_URL",
    "api_url": "BWS_API_URL",
    "identity_url": "BWS_IDENTITY_URL",
    "socket_dir": "BITWARDEN_SOCKET_DIR",
    "state_dir": "BITWARDEN_STATE_DIR",
    "deadline": "BITWARDEN_DEADLINE",
    "patience": "BITWARDEN_PATIENCE",
    "cache_life": "BITWARDEN_CACHE_LIFE",
    "python": "BITWARDEN_PYTHON",
}
"""Options that stand for a variable of the environment, and win over it."""
_NOTHING = ("", "null", "none")
_OTHERS = (
    "projects",
    "sep",
    "team_sep",
    "on_outage",
    "next_backend",
    "next_backend_kwargs",
    "next_first_pattern",
)
_SECRET = re.compile("token|secret|password")
_NO_SECRETS = ("_prefix", "_pattern", "_file", "_from")
"""How names end that hold no secret, whatever they sound like."""
_NAMES = (*(f"{kind}_{what}" for kind in KINDS for what in ("prefix", "lookup_pattern")), *_OTHERS, *SETTINGS)


class BackendOptions:
    """All that the backend goes by, beside the settings of the vault.

    A plain class: every task that looks something up pays for its import.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Raises: Misconfigured."""
        reading = _Reading(given)
        self.sep = reading.text("sep", "/") or ""
        self.prefixes = {kind: reading.prefix(kind, self.sep) for kind in KINDS}
        """By kind; None switches the kind off, an empty one looks the bare name up."""
        self.patterns = {kind: reading.pattern(f"{kind}_lookup_pattern") for kind in KINDS}
        """By kind: only names that match are looked up in Bitwarden."""
        self.projects = reading.names("projects")
        self.team_sep = reading.text("team_sep", "--") or "--"
        self.falls_through = reading.choice("on_outage", FAIL, FALL_THROUGH) == FALL_THROUGH
        """An outage is a warning, and Airflow goes on to its next place; by default it is an error."""
        self.next_backend = reading.text("next_backend", None)
        self.next_kwargs = reading.object("next_backend_kwargs")
        self.next_first = reading.pattern("next_first_pattern")
        """Names that the next backend is asked for before Bitwarden."""
        told = {name: reading.text(option, None) for option, name in SETTINGS.items()}
        self.settings = {name: text for name, text in told.items() if text}
        """Variables of the environment that the options replace."""
        self.names = {name: option for option, name in SETTINGS.items() if name in self.settings}
        """How they are called here, by variable."""
        reading.unknown()
        if reading.mistakes:
            raise Misconfigured("[secrets] backend_kwargs cannot work: " + "; ".join(reading.mistakes))


class _Reading:
    """One pass that collects mistakes instead of stopping at the first."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.mistakes: list[str] = []

    def prefix(self, kind: str, sep: str) -> str | None:
        name = f"{kind}_prefix"
        if name not in self.given:
            return f"airflow/{kind}"
        value = self.given[name]
        if isinstance(value, str) and value == "":
            return ""
        text = self.text(name, None)
        return text.rstrip("/") if text and sep == "/" else text

    def text(self, name: str, default: str | None) -> str | None:
        value = self.given.get(name, default)
        if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
            return default if name == "sep" and value is None else None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.mistakes.append(f"{name} is not a text")
            return default
        return str(value)

    def pattern(self, name: str) -> re.Pattern[str] | None:
        text = self.text(name, None)
        try:
            return re.compile(text, re.IGNORECASE) if text else None
        except re.error as wrong:
            self.mistakes.append(f"{name} is not a regular expression: {wrong}")
            return None

    def choice(self, name: str, *choices: str) -> str:
        text = self.text(name, None) or choices[0]
        if text not in choices:
            self.mistakes.append(f"{name} is one of {', '.join(choices)}")
        return str(text)

    def names(self, name: str) -> tuple[str, ...]:
        value = self._parsed(name, list, "[")
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(one.strip() for one in value if one.strip())
        if value is not None:
            self.mistakes.append(f"{name} is a list of names or ids, or one text with commas")
        return ()

    def object(self, name: str) -> dict[str, Any]:
        value = self._parsed(name, dict, "{")
        if value is None or isinstance(value, dict):
            return value or {}
        self.mistakes.append(f"{name} is not a JSON object")
        return {}

    def _parsed(self, name: str, wanted: type, begins: str) -> Any:  # noqa: ANN401 - JSON
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if value.strip().lower() in _NOTHING:
            return None
        try:
            found = json.loads(value) if value.lstrip().startswith(begins) else value
        except ValueError:
            return value
        return found if isinstance(found, wanted) else value

    def unknown(self) -> None:
        for name in self.given:
            if name in _NAMES:
                continue
            if _SECRET.search(name) and not name.endswith(_NO_SECRETS):
                self.mistakes.append(
                    f"{name!r} is no option: Airflow shows its configuration to people; put the token into "
                    "a file (access_token_file) or into BWS_ACCESS_TOKEN"
                )
                continue
            from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

            near = get_close_matches(name, _NAMES, 1)
            self.mistakes.append(f"there is no option {name!r}" + (f"; is it {near[0]!r}?" if near else ""))
