"""What a schema refuses, said to a person.

Rules this file keeps:
- A message names the key, what is wrong and what to write instead; never a rule of JSON Schema.
- A text is quoted back only where it is one of a few known words: people paste passwords into the wrong line.
- One slip, one message: a misspelt key does not also count as a missing one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from credential_rotation.inventory.schemas import Refusal
from credential_rotation.inventory.yaml_text import Document, Mistake, Odd, Path
from credential_rotation.model import Strategy

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping (`key: value`)",
}
_MATERIAL = {"password", "passwd", "secret", "secret_key", "token", "value"}
_FALLS_BACK = {"prefer", "allow"}
_SHORT = 40


def in_words(document: Document, refused: Iterable[Refusal]) -> Iterator[Mistake]:
    """Word every refusal, in the order of the file."""
    refusals = list(refused)
    misspelt = {(refusal.path, right) for refusal in refusals for right in _meant(refusal)}
    mistakes = {
        Mistake(path, document.line(path), message)
        for refusal in refusals
        for path, message in _words(document, refusal, misspelt)
    }
    yield from sorted(mistakes, key=lambda mistake: (mistake.line, mistake.message))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'quarterly'?`, or nothing."""
    found = get_close_matches(word[:100], sorted(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _words(
    document: Document, refusal: Refusal, misspelt: Collection[tuple[Path, str]]
) -> Iterator[tuple[Path, str]]:
    path, found = refusal.path, refusal.found
    if refusal.rule == "additionalProperties":
        for key in _unknown(refusal):
            yield (*path, key), _unknown_key(key, refusal)
    elif refusal.rule == "required":
        for key in refusal.wanted:
            if key not in found and (path, key) not in misspelt:
                yield path, f"{key!r} is missing{_inside(path)}"
    elif refusal.rule == "type":
        yield path, _wrong_type(document.written(path)[:_SHORT], refusal)
    elif refusal.rule != "enum":
        yield path, _wrong_value(refusal)
    elif isinstance(found, str):  # what is no text was told by its type
        yield path, _unknown_word(found, refusal)


def _unknown_key(key: str, refusal: Refusal) -> str:
    what = f"unknown key {key[:_SHORT]!r}{_inside(refusal.path)}"
    if key.lower() in _MATERIAL:
        return f"{what}: secret values live in Bitwarden, never in a file"
    return what + (nearest(key, refusal.known) or f"; known: {', '.join(refusal.known)}")


def _wrong_type(written: str, refusal: Refusal) -> str:
    types = [refusal.wanted] if isinstance(refusal.wanted, str) else list(refusal.wanted)
    found, where = refusal.found, _where(refusal.path)
    if found is None:
        return f"{where} is empty; fill it in or leave the key out"
    if isinstance(found, (Odd, bool, int)) and "string" in types:
        unit = refusal.why if refusal.why.startswith("a duration") and not isinstance(found, bool) else ""
        advice = f'which YAML reads as {_kind(found)}; put it in quotes: "{written}"'
        return f"{where} is {written}, {f'without a unit; {unit}' if unit else advice}"
    if isinstance(found, str) and found.isdecimal() and "integer" in types:
        return f"{where} must be a number; write {found[:_SHORT]} without quotes"
    if isinstance(found, str) and "boolean" in types:
        return f"{where} must be true or false, without quotes"
    return f"{where} must be {' or '.join(_TYPES[kind] for kind in types if kind != 'null')}"


def _kind(found: Odd | bool | int) -> str:  # noqa: FBT001  # the value itself, not a switch
    if isinstance(found, Odd):
        return found.kind
    return str(found).lower() if isinstance(found, bool) else "a number"


def _unknown_word(found: str, refusal: Refusal) -> str:
    what, can = _where(refusal.path), f"this version has {', '.join(refusal.wanted)}"
    if what == "strategy" and found in {strategy.value for strategy in Strategy}:
        return f"strategy {found!r} is not in this version for this engine; {can}"
    if what.endswith("sslmode") and found in _FALLS_BACK:
        return f"{what} {found} may fall back to plain text; write one of {', '.join(refusal.wanted)}"
    meant = nearest(found, refusal.wanted)
    return f"unknown {what} {found[:_SHORT]!r}{f'{meant} ({can})' if meant else f'; {can}'}"


def _wrong_value(refusal: Refusal) -> str:
    where, wanted = _where(refusal.path), refusal.wanted
    own_words = {
        "uniqueItems": "names something twice",
        "minItems": "is empty; fill it in or leave the key out",
        "minLength": "is empty; fill it in or leave the key out",
        "minimum": f"must be {wanted} or more",
        "maximum": f"must be {wanted} or less",
        "maxLength": f"is longer than {wanted}",
    }
    if refusal.rule in own_words:
        return f"{where} {own_words[refusal.rule]}"
    return f"{where}: {refusal.why}" if refusal.why else f"{where} does not fit its {refusal.rule}"


def _meant(refusal: Refusal) -> Iterator[str]:
    """The keys that misspelt ones in this mapping stand for."""
    if refusal.rule == "additionalProperties":
        for key in _unknown(refusal):
            yield from get_close_matches(key[:100], refusal.known, n=1)


def _unknown(refusal: Refusal) -> list[str]:
    return [key for key in refusal.found if key not in refusal.known]


def _where(path: Path) -> str:
    """The keys down to a value, without the numbers of list items (the line tells those)."""
    return _inner(path) or str(path[0] if path else "the file")


def _inside(path: Path) -> str:
    return f" in {_inner(path)}" if _inner(path) else ""


def _inner(path: Path) -> str:
    """The keys below an entry, or below `policies:`."""
    below = path[2:] if path[:1] == ("credentials",) else path[1:]
    return ".".join(step for step in below if isinstance(step, str))
