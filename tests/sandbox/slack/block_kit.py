"""What Block Kit allows in a message, as far as alerts use it: complaints in Slack's form, or none."""

from collections.abc import Callable, Iterator
from typing import Any

_Check = Callable[[dict[str, Any], str], Iterator[str]]


def complaints(blocks: Any) -> list[str]:  # noqa: ANN401 - whatever JSON the client sent
    """All that is wrong with a message's blocks."""
    if not isinstance(blocks, list):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    said = [*_at_most(50, blocks, "/blocks", "items")]
    for number, block in enumerate(blocks):
        said += _block(block, f"/blocks/{number}")
    names = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(names) != len(set(names)):
        said.append("[ERROR] block_id must be unique [json-pointer:/blocks]")
    return said


def _block(block: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - whatever JSON the client sent
    check = _BLOCKS.get(block.get("type", "")) if isinstance(block, dict) else None
    if check is None:
        yield f"[ERROR] unsupported type [json-pointer:{at}/type]"
        return
    yield from _at_most(255, block.get("block_id", ""), f"{at}/block_id", "characters")
    yield from check(block, at)


def _section(block: dict[str, Any], at: str) -> Iterator[str]:
    if not block.get("text") and not block.get("fields"):
        yield f"[ERROR] missing required field: text or fields [json-pointer:{at}]"
    if "text" in block:
        yield from _text(block["text"], f"{at}/text", 3000)
    fields = block.get("fields", [])
    yield from _at_most(10, fields, f"{at}/fields", "items")
    for number, field in enumerate(fields):
        yield from _text(field, f"{at}/fields/{number}", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory")


def _header(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _text(block.get("text"), f"{at}/text", 150, kinds=("plain_text",))


def _context(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _elements(block, at, 10, lambda one, where: _text(one, where, 3000))


def _actions(block: dict[str, Any], at: str) -> Iterator[str]:
    yield from _elements(block, at, 25, _element)


def _divider(_block: dict[str, Any], _at: str) -> Iterator[str]:
    yield from ()


_BLOCKS: dict[str, _Check] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
}


def _elements(
    block: dict[str, Any],
    at: str,
    most: int,
    check: Callable[[Any, str], Iterator[str]],
) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"[ERROR] no fewer than 1 items allowed [json-pointer:{at}/elements]"
        return
    yield from _at_most(most, elements, f"{at}/elements", "items")
    for number, element in enumerate(elements):
        yield from check(element, f"{at}/elements/{number}")


def _element(element: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - whatever JSON the client sent
    if not isinstance(element, dict) or element.get("type") != "button":
        yield f"[ERROR] unsupported type [json-pointer:{at}/type]"
        return
    yield from _text(element.get("text"), f"{at}/text", 75, kinds=("plain_text",))
    for name, most in (("url", 3000), ("value", 2000), ("action_id", 255)):
        yield from _at_most(most, element.get(name, ""), f"{at}/{name}", "characters")
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"[ERROR] must be one of primary, danger [json-pointer:{at}/style]"


def _text(
    text: Any,  # noqa: ANN401 - whatever JSON the client sent
    at: str,
    most: int,
    *,
    kinds: tuple[str, ...] = ("mrkdwn", "plain_text"),
) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"[ERROR] must be a text object of type {' or '.join(kinds)} [json-pointer:{at}]"
    elif not isinstance(text.get("text"), str) or not text["text"]:
        yield f"[ERROR] must be more than 0 characters [json-pointer:{at}/text]"
    else:
        yield from _at_most(most, text["text"], f"{at}/text", "characters")


def _at_most(most: int, things: Any, at: str, of: str) -> Iterator[str]:  # noqa: ANN401 - as above
    if not isinstance(things, (str, list)):
        yield f"[ERROR] wrong type [json-pointer:{at}]"
    elif len(things) > most:
        yield f"[ERROR] must be less than {most + 1} {of} [json-pointer:{at}]"
