"""Which texts are connection URIs, and which of those Airflow cannot read.

Rules this file keeps:
- Airflow's own complaints quote the URI with its password: ours say what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

_LIKE_ONE = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*")
QUOTED = "write %2F for a slash, %3F for ?, %23 for #, %40 for @ and %5B for [ in user name and password"


def is_uri(text: str) -> bool:
    """`conn-type://…`; a password may hold `://` too, but not after such a word and without a blank."""
    word, separator, rest = text.partition("://")
    is_word = word[:1].isalpha() and word.isascii() and word.replace("-", "").replace("_", "").isalnum()
    return bool(separator) and is_word and not any(character.isspace() for character in rest)


def misread(text: str) -> str:
    """Why Airflow cannot read it, if it looks like a URI; empty where it can, and of other texts."""
    word, separator, rest = text.partition("://")
    if is_uri(text) or (separator and _LIKE_ONE.fullmatch(word) and "@" in rest):
        if wrong := "; ".join(_unfit(word, rest)):
            return f"it begins like a URI and is none ({wrong}); a password like that goes into JSON"
        return _unreadable(rest)
    return ""


def _unfit(word: str, rest: str) -> Iterator[str]:
    for mark in "+.":
        if mark in word:
            yield f"there is no {mark!r} in a connection's type: postgres for postgresql+psycopg"
    if "_" in word:
        yield "write '-' for '_' in a URI's type"
    if any(character.isspace() for character in rest):
        yield "a blank is %20 in it"


def _unreadable(rest: str) -> str:
    protocol, is_nested, _ = rest.partition("://")  # as in http://https://host
    if rest.count("://") > 1 or (is_nested and not {"@", ":"}.isdisjoint(protocol)):
        return "`://` stands in its URI more than once: write %3A%2F%2F inside a password or an option"
    try:
        _ = urlsplit(rest if is_nested else f"//{rest}").port
    except ValueError:
        return f"the host or port of its URI cannot be read: {QUOTED}"
    return ""
