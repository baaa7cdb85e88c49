"""Which access tokens the environment names: the first, and the one that goes on when that is refused.

Rules this file keeps:
- A mistake names the variable and the remedy, never a value.
- A second slot that cannot be used breaks nothing: the first goes on, and whoever looks after it is told why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bitwarden_vault.access_token import AccessToken, MalformedToken, parse_token, sourced_token

TOKEN = "BWS_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
ENDINGS = ("", "_FILE", "_FROM")
"""What may stand behind a slot's name: the token itself, a file that holds it, or a place in AWS."""
_SOURCE = r"aws-(?:secretsmanager|ssm):[^\s#]+(?:#\S+)?"


class Tokens:
    """What was found; mistakes of the first slot keep everything from working.

    A plain class: every task that looks something up pays for its import.
    """

    def __init__(self, first: AccessToken | None, second: AccessToken | None = None) -> None:
        self.first, self.next = first, second
        self.mistakes: list[str] = []
        self.next_is_wrong = ""
        """Why the second slot, which is filled, cannot be used."""


def slots_of(name: str) -> frozenset[str]:
    """Every variable that says something about this token or the one after it."""
    return frozenset(f"{slot}{ending}" for slot in (name, f"{name}_NEXT") for ending in ENDINGS)


def read_tokens(environ: Mapping[str, str], prefer: str | None) -> Tokens:
    """The tokens in this environment; all of `prefer` where that one has a first slot."""
    is_preferred = prefer is not None and any(f"{prefer}{ending}" in environ for ending in ENDINGS)
    name = prefer if prefer and is_preferred else TOKEN
    first = _Slot(name, environ)
    token = first.token()
    if token is None:
        missing = f"{name} is missing: set it, or {name}_FILE to a file that holds it"
        found = Tokens(None)
        found.mistakes = first.mistakes or [missing]
        return found
    second = _Slot(f"{name}_NEXT", environ)
    following = second.token()
    if following is not None and following.identity == token.identity:
        second.mistakes.append(f"{following.place} holds the same token as {token.place}: empty it")
        following = None
    if prefer and not is_preferred and not slots_of(prefer).isdisjoint(environ):
        second.mistakes.append(f"{prefer}_NEXT is not used, because {prefer} is not set")
    found = Tokens(token, following)
    found.next_is_wrong = "; ".join(second.mistakes)
    return found


class _Slot:
    """A variable and its twins with `_FILE` and `_FROM`; one of them counts."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.name, self.environ = name, environ
        self.mistakes: list[str] = []

    def token(self) -> AccessToken | None:
        """The token, or None; without a mistake there is none."""
        in_file, direct = f"{self.name}_FILE", self.environ.get(self.name)
        if f"{self.name}_FROM" in self.environ:
            return self._sourced(f"{self.name}_FROM", is_alone=direct is None and in_file not in self.environ)
        from_file = self._file(in_file)
        if direct is not None and from_file is not None and direct.strip() != from_file:
            self.mistakes.append(f"{self.name} and {in_file} hold different tokens: keep one of them")
            return None
        text, place = (direct, self.name) if direct is not None else (from_file, in_file)
        if text is None:
            return None
        try:
            return parse_token(text, place)
        except MalformedToken as wrong:
            self.mistakes.append(f"{place} is not an access token: {wrong}")
            return None

    def _sourced(self, name: str, *, is_alone: bool) -> AccessToken | None:
        source = self.environ[name].strip()
        if not is_alone:
            self.mistakes.append(f"{name} says where the token lies: remove {self.name} and {self.name}_FILE")
        elif not re.fullmatch(_SOURCE, source):
            self.mistakes.append(
                f"{name} is neither aws-secretsmanager:<name or ARN>, with #<field> where it is JSON, nor "
                "aws-ssm:<name>"
            )
        else:
            return sourced_token(source, name)
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
        if not text and not self.name.endswith("_NEXT"):  # a second slot waits, empty, for its day
            self.mistakes.append(f"{name}: the file is empty")
        return text or None
