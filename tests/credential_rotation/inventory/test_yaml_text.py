"""No text, however wrong, gets more out of the inventory than problems with lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential_rotation.errors import BadInput
from credential_rotation.inventory import yaml_text as inventory_yaml
from credential_rotation.inventory.inventory import Inventory, load_entry, load_inventory

PIECES = st.sampled_from(
    [
        *(
            "credentials:",
            "\n",
            "\n  - ",
            "\n    ",
            "name: a",
            "engine: postgres",
            "principal: a",
            "policies:",
        ),
        *(
            "target:",
            "{host: db}",
            "{",
            "}",
            "[",
            "]",
            ",",
            ": ",
            "&a ",
            "*a",
            "<<: ",
            "!!int ",
            "!x ",
            "? ",
            "- ",
        ),
        *(
            "policy: manual",
            "admin: a",
            "after: [a, b]",
            "vault: {key: a, project: b, format: json}",
            "owner: o",
        ),
        *(
            "endpoints:",
            "consumers:",
            "no",
            "1:30",
            "0x1f",
            "1_0",
            ".inf",
            "2026-01-01",
            "~",
            "''",
            '"\\0"',
            "|\n",
        ),
        *("\t", "#", "---\n", "...", "%", "@", "\x85", "\ufeff", "é", "=", "!!set ", "!!binary ", "1" * 5000),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
)
KEYS = st.sampled_from(
    [
        *(
            "name",
            "engine",
            "strategy",
            "principal",
            "target",
            "endpoints",
            "admin",
            "vault",
            "policy",
            "consumers",
        ),
        *(
            "owner",
            "tags",
            "after",
            "queue",
            "prove_dead",
            "stamp",
            "host",
            "port",
            "sslmode",
            "key",
            "id",
            "max_age",
        ),
    ]
)
WORDS = st.sampled_from(["a", "b", "postgres", "in_place", "manual", "json", "db", "1d", "2d", "disable"])
VALUES = st.recursive(
    WORDS | SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6)
)
ENTRIES = st.lists(VALUES | st.dictionaries(KEYS, VALUES, max_size=12), max_size=4)


@contextmanager
def inventory_of(raw: bytes, policies: bytes = b"") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        include = Path(folder) / "include"
        (include / "credentials").mkdir(parents=True)
        (include / "policies.yaml").write_bytes(policies)
        (include / "credentials" / "a.yaml").write_bytes(raw)
        yield include


def examined(raw: bytes, policies: bytes = b"") -> Inventory:
    """Load it, ask for an entry, and print every problem."""
    with inventory_of(raw, policies) as include:
        inventory = load_inventory(include)
        if "a" in {credential.name for credential in inventory.credentials}:
            assert load_entry(include, "a") in inventory.credentials
        else:
            with suppress(BadInput):  # an entry with a bad link is good when it is looked at alone
                load_entry(include, "a")
    for problem in inventory.problems:
        assert problem.line >= 1
        assert str(problem).isprintable()
        str(problem).encode()
    return inventory


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@FUZZ
@given(text=TEXTS, policies=TEXTS)
def test_no_text_makes_it_raise(text: str, policies: str) -> None:
    """Whatever stands in the files is read, or told as printable problems on one line each."""
    examined(text.encode("utf-8", "surrogatepass"), policies.encode("utf-8", "surrogatepass"))


@FUZZ
@given(raw=st.binary())
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """Files that are no text at all are problems too."""
    examined(raw, raw)


@FUZZ
@given(entries=ENTRIES)
def test_no_values_make_it_raise(entries: list[Any]) -> None:
    """Every type in every place: a credential comes out whole or a problem says why not."""
    inventory = examined(yaml.safe_dump({"credentials": entries}, allow_unicode=True).encode())
    told = {problem.name for problem in inventory.problems}
    whole = {credential.name for credential in inventory.credentials}
    assert not told & whole
    assert len(inventory.problems) + len(whole) >= len(entries)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
@pytest.mark.parametrize("depth", [29, 500, 20_000])
def test_no_depth_makes_it_raise(opening: str, depth: int) -> None:
    """A file of nothing but brackets neither crashes the reader nor takes it long."""
    assert examined((opening * depth).encode()).problems


def test_lines_are_right_with_both_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyYAML without libyaml says the same lines and messages."""
    raw = b"# a\n\ncredentials:\n  - name: a\n    ports: 1\n    target:\n      prt: 1\n\n    name: b\n"
    fast = examined(raw)
    monkeypatch.setattr(inventory_yaml, "Loader", yaml.SafeLoader)
    assert examined(raw) == fast
    lines = {problem.line for problem in fast.problems}
    assert {4, 5, 9} <= lines


def test_a_list_that_is_there_twice_is_told_and_the_last_one_counts() -> None:
    """Mistakes in the list that YAML drops are told too, and belong to no entry of the other one."""
    raw = b"credentials:\n  - 1\n  - {a: !x 1}\ncredentials: []\n"
    assert [str(problem) for problem in examined(raw).problems] == [
        "include/credentials/a.yaml:3: tag !x has no meaning here; leave it out",
        "include/credentials/a.yaml:4: key 'credentials' is there twice; keep one of them",
    ]


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Files from Windows editors are read."""
    assert examined(b"\xef\xbb\xbfcredentials: []\r\n").problems == ()


def test_another_encoding_is_told_with_its_line() -> None:
    """A file in Latin-1 names the line where it stops being UTF-8."""
    assert [str(problem) for problem in examined(b"credentials:\n  # caf\xe9\n").problems] == [
        "include/credentials/a.yaml:2: is not UTF-8 text; save it as UTF-8"
    ]
