"""Where secret values are to be read, in any of the forms that a value takes on its way through programs.

1. What is found is told by place and form, never by the value: a report may be printed.
2. A value is looked for in pieces of at least a dozen characters: one that was cut or wrapped is found too.
   Values must be random: then no piece occurs by chance.
3. No form of a piece is shorter than `_SHORTEST` bytes: looking at a window every few bytes misses none, and
   tens of megabytes and hundreds of values take seconds.
"""

from __future__ import annotations

import base64
import html
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus

_PIECE = 12
"""Characters of a value that are a leak on their own."""
_SHORTEST = 12
_WINDOW = 6
_STRIDE = _SHORTEST - _WINDOW + 1


@dataclass(frozen=True, order=True, slots=True)
class Leak:
    """A value, or a piece of one, that can be read somewhere."""

    place: str
    form: str

    def __str__(self) -> str:
        return f"{self.place}: {self.form}"


class Search:
    """Looks for these values; what it finds has neither them nor anything else of what it read."""

    def __init__(self, values: Iterable[str]) -> None:
        """Raises: ValueError for a value that is too short to be told from chance."""
        pieces = {piece for value in set(values) for piece in _pieces(value)}
        self._forms = {needle: form for piece in pieces for form, needle in _forms(piece)}
        self._starts: dict[bytes, set[bytes]] = {}
        for needle in self._forms:
            for offset in range(min(_STRIDE, len(needle) - _WINDOW + 1)):
                self._starts.setdefault(needle[offset : offset + _WINDOW], set()).add(needle)
        self.bytes_read = 0

    def __repr__(self) -> str:
        return f"Search({len(self._forms)} needles, {self.bytes_read} bytes read)"

    def text(self, place: str, text: str) -> set[Leak]:
        """What can be read in a text."""
        return self.bytes(place, text.encode(errors="surrogatepass"))

    def bytes(self, place: str, data: bytes) -> set[Leak]:
        """What can be read in these bytes."""
        self.bytes_read += len(data)
        windows = (data[at : at + _WINDOW] for at in range(0, len(data), _STRIDE))
        suspects = {window for window in windows if window in self._starts}
        needles = {needle for window in suspects for needle in self._starts[window]}
        return {Leak(place, self._forms[needle]) for needle in needles if needle in data}

    def file(self, path: Path, place: str | None = None) -> set[Leak]:
        """What can be read in a file; one that goes away meanwhile has nothing to be read."""
        try:
            return self.bytes(place or str(path), path.read_bytes())
        except FileNotFoundError:
            return set()

    def tree(self, folder: Path, *, without: Iterable[Path] = ()) -> set[Leak]:
        """What can be read in the files of a folder, and in their names."""
        found: set[Leak] = set()
        for path in _files(folder, set(without)):
            name = str(path.relative_to(folder))
            found |= self.text("a file's name", name) | self.file(path, name)
        return found

    def database(self, path: Path) -> set[Leak]:
        """What can be read in an SQLite database: its files as they are, and each cell by itself.

        The files have also what was deleted; the cells have also what lies across two pages.
        """
        found: set[Leak] = set()
        for name in (path.name, f"{path.name}-wal", f"{path.name}-journal"):
            found |= self.file(path.with_name(name), name)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for table, column, cell in _cells(connection):
                data = cell if isinstance(cell, bytes) else str(cell).encode(errors="surrogatepass")
                found |= self.bytes(f"{path.name}, {table}.{column}", data)
        return found


def _pieces(value: str) -> Iterator[str]:
    """The value in as many pieces as are long enough."""
    if len(value) < _PIECE:
        raise ValueError(f"a value of {len(value)} characters cannot be told from chance")
    count = len(value) // _PIECE
    cuts = [len(value) * number // count for number in range(count + 1)]
    return (value[begin:end] for begin, end in pairwise(cuts))


def _forms(piece: str) -> Iterator[tuple[str, bytes]]:
    """Every way in which a text is written; one that is the same as an earlier one costs nothing."""
    data = piece.encode()
    for number in (0, 1, 2):  # base64 has three, by how many bytes come before
        yield from _base64(data, number)
    texts = {"hex": [data.hex(), data.hex().upper()], "URL-encoded": _url(piece), "repr": _repr(piece)}
    texts |= {
        "JSON": _json(piece),
        "SQL": _sql(piece),
        "HTML": [html.escape(piece), html.escape(piece, quote=False)],
    }
    for form, written in texts.items():
        yield from ((form, text.encode()) for text in written)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le"):
        yield "UTF-16", piece.encode(encoding)
    yield "raw", data


def _base64(data: bytes, before: int) -> Iterator[tuple[str, bytes]]:
    """Without the letters that depend on what comes before and after."""
    first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        yield "base64", encode(bytes(before) + data)[first:last]


def _url(piece: str) -> list[str]:
    written = [quote(piece), quote(piece, safe=""), quote_plus(piece)]
    return written + [_lower_escapes(one) for one in written]


def _lower_escapes(text: str) -> str:
    first, *others = text.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _json(piece: str) -> list[str]:
    """Once, and as a JSON text inside another."""
    once = [json.dumps(piece, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return once + [json.dumps(one, ensure_ascii=False)[1:-1] for one in once]


def _sql(piece: str) -> list[str]:
    """As a plain literal, and as one with backslashes (E'…')."""
    doubled = piece.replace("'", "''")
    return [doubled, doubled.replace("\\", "\\\\"), piece.replace("\\", "\\\\").replace("'", "\\'")]


def _repr(piece: str) -> list[str]:
    """In either kind of quotes, as text and as bytes."""
    data, quotes = piece.encode(), "'\""
    in_single = repr(quotes + piece)[len("'\\'\"") : -1]
    return [repr(piece)[1:-1], in_single, ascii(piece)[1:-1], repr(data)[2:-1]]


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path in without or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path, without)
        elif path.is_file():
            yield path


def _cells(connection: sqlite3.Connection) -> Iterator[tuple[str, str, object]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        name = table.replace('"', '""')
        rows = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - quoted
        columns = [column[0] for column in rows.description]
        for row in rows:
            yield from ((table, *pair) for pair in zip(columns, row, strict=True) if pair[1] is not None)
