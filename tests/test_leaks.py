"""The leak search finds a value in every form that it may take, and its own report holds none."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from scenes.leaks.search import Leak, Search

PLAIN = "Zq3vT8-mWx1kB6rP.nY4uF9_cJ7sDh2gLwEa5oK0"
HARD = "?>~'\"ß\\%/ +<ï¿😀\n"
"""A value in pieces, and one in a single piece that is changed by every way of writing it."""
_E_QUOTED = str.maketrans({"\\": "\\\\", "'": "\\'"})


@pytest.mark.parametrize("value", [PLAIN, HARD], ids=["plain", "hard"])
@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("raw", str.encode),
        ("URL-encoded", lambda value: quote(value).encode()),
        ("URL-encoded", lambda value: quote(value, safe="").encode()),
        ("URL-encoded", lambda value: quote_plus(value).encode()),
        ("URL-encoded", lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value)).encode()),
        ("base64", lambda value: base64.b64encode(value.encode())),
        ("base64", lambda value: base64.b64encode(b"a" + value.encode() + b"zz")),
        ("base64", lambda value: base64.b64encode(b"ab" + value.encode() + b"z")),
        ("base64", lambda value: base64.urlsafe_b64encode(value.encode())),
        ("base64", lambda value: base64.urlsafe_b64encode(b"a" + value.encode())),
        ("base64", lambda value: base64.urlsafe_b64encode(b"ab" + value.encode())),
        ("JSON", lambda value: json.dumps({"password": value}).encode()),
        ("JSON", lambda value: json.dumps({"password": value}, ensure_ascii=False).encode()),
        ("JSON", lambda value: json.dumps({"in": json.dumps({"password": value})}).encode()),
        ("SQL", lambda value: f"ALTER ROLE a PASSWORD '{value.replace(chr(39), chr(39) * 2)}'".encode()),
        ("SQL", lambda value: f"ALTER ROLE a PASSWORD E'{value.translate(_E_QUOTED)}'".encode()),
        ("repr", lambda value: repr(value).encode()),
        ("repr", lambda value: repr({"password": value, "bytes": value.encode()}).encode()),
        ("repr", lambda value: repr(value.encode()).encode()),
        ("repr", lambda value: ascii([value]).encode()),
        ("HTML", lambda value: html.escape(value).encode()),
        ("hex", lambda value: value.encode().hex().encode()),
        ("hex", lambda value: value.encode().hex().upper().encode()),
        ("UTF-16", lambda value: value.encode("utf-16-le")),
        ("UTF-16", lambda value: value.encode("utf-16-be")),
        ("UTF-16", lambda value: value.encode("utf-32-le")),
    ],
)  # fmt: skip
def test_each_form_is_found(value: str, form: str, write: Callable[[str], bytes]) -> None:
    """Wherever it begins, and told by its form unless this form changes nothing of it."""
    for lead in (b"", b"x" * 5000 + b" "):
        found = Search([value]).bytes("here", lead + write(value) + b" and more")
        assert {one.place for one in found} == {"here"}
        assert form in {one.form for one in found} or value is PLAIN


@pytest.mark.parametrize("cut", [lambda value: value[:-3], lambda value: f"{value[:17]}\n      {value[17:]}"])
def test_a_value_that_was_cut_or_wrapped_is_found(cut: Callable[[str], str]) -> None:
    """What is left of it is enough for whoever guesses the rest."""
    assert Search([PLAIN]).text("here", cut(PLAIN)) == {Leak("here", "raw")}


def test_what_holds_no_value_is_clean() -> None:
    """Other random values, the SCRAM verifier of this one, and pieces too short to be of use."""
    others = [secrets.token_urlsafe(30) for _ in range(1000)]
    searched = Search([PLAIN, HARD])
    assert not searched.text("others", json.dumps(others))
    assert not searched.text("pieces", " ".join(PLAIN[at : at + 8] for at in range(33)))
    assert searched.bytes_read > 40_000


def test_the_report_holds_no_value() -> None:
    """Neither what was found nor the search itself shows what it looks for."""
    searched = Search([PLAIN])
    found = searched.text("a log", f"the password is {PLAIN}")
    assert found == {Leak("a log", "raw")}
    shown = f"{found} {[str(one) for one in found]} {searched!r}"
    assert not Search([PLAIN]).text("the report", shown)


def test_a_value_that_chance_could_make_is_refused() -> None:
    """Without being repeated in the message."""
    with pytest.raises(ValueError, match="a value of 7 characters") as refusal:
        Search(["hunter2"])
    assert "hunter2" not in str(refusal.value)


def test_a_tree_is_searched_to_its_leaves(tmp_path: Path) -> None:
    """Files, file names, and not what is said to be left out."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "core").write_bytes(b"\0\xff" * 999 + PLAIN.encode())
    (tmp_path / f"socket-{PLAIN}").touch()
    (tmp_path / "token").write_text(PLAIN)
    found = Search([PLAIN]).tree(tmp_path, without=[tmp_path / "token"])
    assert found == {Leak("deep/er/core", "raw"), Leak("a file's name", "raw")}


def test_a_database_is_searched_in_cells_wal_and_what_was_deleted(tmp_path: Path) -> None:
    """Also across pages, in blobs, and before a checkpoint."""
    deleted = "deleted-" + secrets.token_hex(20)
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE xcom (key TEXT, value BLOB)")
        connection.execute(
            "INSERT INTO xcom VALUES ('a', ?)", (b"\1" * 4000 + PLAIN.encode() + b"\1" * 9000,)
        )
        connection.execute("INSERT INTO xcom VALUES ('b', ?)", (json.dumps({"p": deleted}),))
        connection.commit()
        connection.execute("DELETE FROM xcom WHERE key = 'b'")
        connection.commit()
        found = Search([PLAIN]).database(tmp_path / "db")
        assert Leak("db, xcom.value", "raw") in found
        assert Leak("db-wal", "raw") in Search([deleted]).database(tmp_path / "db")
    connection.close()


@pytest.mark.alone
def test_tens_of_megabytes_and_hundreds_of_values_take_seconds() -> None:
    """A search that took minutes would not be run."""
    values = [secrets.token_urlsafe(30) for _ in range(300)]
    line = json.dumps({"event": "planned", "run": secrets.token_hex(16), "id": "b4f7-x" * 9}).encode()
    data = line * (20_000_000 // len(line)) + values[137].encode()
    searched = Search(values)
    began = time.process_time()
    assert searched.bytes("a log", data) == {Leak("a log", "raw")}
    assert time.process_time() - began < 10
