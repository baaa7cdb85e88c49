"""The digest that stands in a piece of evidence, and whether a file still is what it was.

    jq -jcaS 'del(.digest)' evidence.json | sha256sum      # the same, with other people's tools

Rules this file keeps:
- Over the document's canonical form: members in order, no blanks, ASCII.
- With the audit trail's key it is an HMAC; without one plain SHA-256, and the answer says what that means.
- A page is right when its document is, and when it is what is made from that document, to the byte.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from bitwarden_vault.audit.line import KEYED, Seal
from credential_rotation.evidence.document import KIND
from credential_rotation.evidence.page import DOCUMENT_ID, page


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is whole, in one sentence."""

    is_whole: bool
    what: str


def sealed(document: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    """The document with its digest."""
    plain = {name: value for name, value in document.items() if name != "digest"}
    digest = {"kind": seal.chain, "key": seal.key_id, "value": seal.digest(canonical(plain))}
    return {**plain, "digest": digest}


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that the digest is over."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def check(text: str, seals: Sequence[Seal] = ()) -> Verdict:
    """Whether a file, JSON or HTML, is as it was made."""
    is_page = text.lstrip().startswith("<")
    document = _read(_inside(text) if is_page else text)
    if document is None:
        return Verdict(is_whole=False, what="this is no evidence: there is no document of ours in it")
    digest = document["digest"]
    fitting = [one for one in (*seals, Seal()) if one.key_id == digest.get("key", "")]
    if not fitting:
        return Verdict(is_whole=False, what=f"it was made with key {digest.get('key')}: name its file")
    if not hmac.compare_digest(str(digest.get("value")), sealed(document, fitting[0])["digest"]["value"]):
        return Verdict(is_whole=False, what="CHANGED: its digest does not fit")
    if is_page and page(document) != text:
        what = (
            "CHANGED: the document in it is as it was made, but the page around is not what this version "
            f"makes of it ({document.get('product')} made it). Believe the document"
        )
        return Verdict(is_whole=False, what=what)
    return Verdict(is_whole=True, what=_means(document, fitting[0]))


def _means(document: Mapping[str, Any], seal: Seal) -> str:
    whole = f"{document['credential']}, made {document['made']} by {document['made_by']}: as it was made"
    if seal.chain == KEYED:
        return f"{whole}, by somebody who had key {seal.key_id}"
    return (
        f"{whole}. But without a key this finds accidental changes only; compare the digest with one you "
        "noted elsewhere"
    )


def _read(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("kind") != KIND or not isinstance(found.get("digest"), dict):
        return None
    return found


def _inside(text: str) -> str:
    """The document that a page carries along."""
    finder = _Finder()
    finder.feed(text)
    return "".join(finder.found)


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre" and ("id", DOCUMENT_ID) in attrs:
            self._is_inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._is_inside = False

    def handle_data(self, text: str) -> None:
        if self._is_inside:
            self.found.append(text)
