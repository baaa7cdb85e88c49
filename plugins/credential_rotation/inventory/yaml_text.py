"""YAML text as plain values that know their lines, with its traps refused instead of guessed at.

Rules this file keeps:
- No text makes it raise: what cannot be read is a mistake with a line.
- A key that is there twice is a mistake; YAML would silently take the last one.
- A scalar that YAML reads as something nobody meant (a date, octal, base 60) becomes `Odd`; no field takes it
- Lines are looked up when there is something to say: nothing is kept per value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML built without libyaml: slower, the same answers
    from yaml import SafeLoader as Loader  # type: ignore[assignment]  # two classes with one interface

Path = tuple[str | int, ...]
Value = Union[str, int, bool, "Odd", None, list["Value"], dict[str, "Value"]]

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_DEEPEST = 30
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_KINDS = {"int": "a number", "float": "a number", "timestamp": "a date"}


@dataclass(frozen=True, slots=True)
class Odd:
    """A scalar that YAML does not read as text, and that no field can want."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something a person has to mend, and where."""

    path: Path
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its value, what was wrong with the writing of it, and where everything stands."""

    file: str
    value: Value = None
    mistakes: tuple[Mistake, ...] = ()
    readable: bool = True
    """False where nothing of it could be read, so that nobody knows what it would have said."""
    root: yaml.Node | None = field(default=None, repr=False)

    def line(self, path: Path) -> int:
        """The line of a value (of its key, where it has one), or of the nearest thing around it."""
        node, line = self.root, 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            label, node = found
            line = _line(label)
        return line

    def written(self, path: Path) -> str:
        """The scalar as the person wrote it."""
        node = self.root
        for step in path:
            found = _child(node, step)
            node = found[1] if found else None
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def unreadable(file: str, message: str, line: int = 1) -> Document:
    """A file of which nothing could be read."""
    return Document(file=file, mistakes=(Mistake((), line, message),), readable=False)


def read_yaml(raw: bytes, file: str) -> Document:
    """Read one file; never raises."""
    try:
        text = raw.decode("utf-8-sig")
        root = yaml.compose(text, Loader)
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        return unreadable(file, "is not UTF-8 text; save it as UTF-8", line)
    except yaml.MarkedYAMLError as wrong:
        return unreadable(file, *_syntax(text, wrong))
    except (yaml.YAMLError, RecursionError) as wrong:
        reason = getattr(wrong, "reason", "nested too deeply")
        return unreadable(file, f"is not valid YAML: {reason}")
    if root is None:
        return Document(file=file)
    reading = _Reading(budget=10 * len(raw) + 1000)
    try:
        value = reading.value(root, ())
    except _TooMuchError as wrong:
        return unreadable(file, str(wrong))
    return Document(file=file, value=value, mistakes=tuple(reading.mistakes), root=root)


def _syntax(text: str, wrong: yaml.MarkedYAMLError) -> tuple[str, int]:
    problem = str(wrong.problem or wrong.context or "cannot be read")
    mark = wrong.problem_mark or wrong.context_mark
    if "single document" in f"{wrong.context} {wrong.problem}":
        problem = "there is a second document (`---`); keep one document a file"
    elif "cannot start any token" in problem and mark and _indented_by_tab(text, mark.line):
        problem = "a tab; YAML is indented with spaces"
    elif "mapping values are not allowed" in problem:
        problem += " (a wrong indentation, or a text with ': ' in it that needs quotes)"
    return f"is not valid YAML: {problem}", (mark.line + 1 if mark else 1)


def _indented_by_tab(text: str, line: int) -> bool:
    return text.split("\n")[line].lstrip(" ").startswith("\t")


class _TooMuchError(Exception):
    """The text stands for more than anybody writes by hand."""


@dataclass(slots=True)
class _Reading:
    """One pass over the nodes of a file."""

    budget: int
    mistakes: list[Mistake] = field(default_factory=list)

    def value(self, node: yaml.Node, path: Path) -> Value:
        self._count(path)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node, "map", path)
            return self._mapping(node, path)
        self._check_tag(node, "seq", path)
        return [self.value(item, (*path, place)) for place, item in enumerate(node.value)]

    def _count(self, path: Path) -> None:
        self.budget -= 1
        if len(path) > _DEEPEST:
            raise _TooMuchError("is nested too deeply (an alias that contains itself?)")
        if self.budget < 0:
            raise _TooMuchError("its aliases stand for too much; write the entries out")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Value]:
        pairs: dict[str, Value] = {}
        for label, value in _own_pairs(node):
            key = _key(label)
            self._check_key(label, key, path)
            if key in pairs:
                self._say(label, (*path, key), f"key {key!r} is there twice; keep one of them")
            pairs[key] = self.value(value, (*path, key))
        for source in _merged(node):
            if not isinstance(source, yaml.MappingNode):
                self._say(source, path, "`<<` takes a mapping (an alias to one)")
                continue
            self._count((*path, "<<"))
            inherited = self._mapping(source, (*path, "<<"))
            pairs = {**inherited, **pairs}
        return pairs

    def _check_key(self, label: yaml.Node, key: str, path: Path) -> None:
        if not isinstance(label, yaml.ScalarNode):
            self._say(label, path, "a key must be one word (a text with `{` or `[` in it needs quotes)")
        elif label.tag != _TAG + "str":
            self._say(label, (*path, key), f"key {key!r} is not read as text by YAML; put it in quotes")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Value:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind in {"str", "value"}:
            if not text.isprintable():
                self._say(node, path, "holds a line break or an invisible character; write it on one line")
                text = "".join(letter if letter.isprintable() else " " for letter in text).strip()
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in yaml.SafeLoader.bool_values:
            return bool(yaml.SafeLoader.bool_values[text.lower()])
        if kind == "int" and _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        if kind not in _KINDS:
            self._check_tag(node, "str", path)
        return Odd(text, _KINDS.get(kind, "something else"))

    def _check_tag(self, node: yaml.Node, plain: str, path: Path) -> None:
        if node.tag != _TAG + plain:
            shown = node.tag.replace(_TAG, "!!")[:40]
            self._say(node, path, f"tag {shown} has no meaning here; leave it out")

    def _say(self, node: yaml.Node, path: Path, message: str) -> None:
        self.mistakes.append(Mistake(tuple(step for step in path if step != "<<"), _line(node), message))


def _key(label: yaml.Node) -> str:
    return str(label.value) if isinstance(label, yaml.ScalarNode) else "?"


def _own_pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    return (pair for pair in node.value if pair[0].tag != _MERGE)


def _merged(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    for label, value in node.value:
        if label.tag == _MERGE:
            yield from value.value if isinstance(value, yaml.SequenceNode) else (value,)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """What stands at one step below a node: the node that marks the line, and the value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        pairs = list(_own_pairs(node))
        for label, value in reversed(pairs):
            if _key(label) == step:
                return label, value
        for source in _merged(node):
            found = _child(source, step)
            if found is not None:
                return found
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
