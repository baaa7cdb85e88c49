"""Which texts are connection URIs, and which of those Airflow cannot read.

Rules this file keeps:
- Airflow's own complaints quote the URI with its password: ours say what to write instead.
"""

from __future__ import annotations

from urllib.parse import urlsplit

QUOTED = "write %2F for a slash, %3F for ?, %23 for #, %40 for @ and %5B for [ in user name and password"


def is_uri(text: str) -> bool:
    """`conn-type://…`; a password may hold `://` too, but not after such a word and without a blank."""
    word, separator, rest = text.partition("://")
    is_word = word[:1].isalpha() and word.isascii() and word.replace("-", "").replace("_", "").isalnum()
    return bool(separator) and is_word and not any(character.isspace() for character in rest)


def misread(uri: str) -> str:
    """Why Airflow cannot read it; empty where it can."""
    _, _, rest = uri.partition("://")
    protocol, is_nested, _ = rest.partition("://")  # as in http://https://host
    if rest.count("://") > 1 or (is_nested and not {"@", ":"}.isdisjoint(protocol)):
        return "`://` stands in its URI more than once: write %3A%2F%2F inside a password or an option"
    try:
        _ = urlsplit(rest if is_nested else f"//{rest}").port
    except ValueError:
        return f"the host or port of its URI cannot be read: {QUOTED}"
    return ""
