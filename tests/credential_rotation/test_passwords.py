"""Values that nobody guesses and nothing has to encode."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import string
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from credential_rotation.errors import BadInput
from credential_rotation.inventory.schemas import CREDENTIALS, schema
from credential_rotation.passwords import ALPHANUMERIC, PasswordRule, rule_from


def test_the_default_needs_no_encoding_anywhere() -> None:
    """A4: a default value means itself in a URL, a shell, YAML, INI, JSON and a format string."""
    for _ in range(500):
        value = PasswordRule().generate()
        ini = configparser.ConfigParser()
        ini.read_string(f"[s]\nkey = {value}\n")
        assert quote(value, safe="") == value
        assert shlex.split(value) == [value]
        assert yaml.safe_load(f"key: {value}") == {"key": value}
        assert ini["s"]["key"] == value
        assert json.dumps(value) == f'"{value}"'
        assert value % () == value.format() == value
        assert value[0] in ALPHANUMERIC


def test_the_default_is_long_and_all_of_its_alphabet_turns_up() -> None:
    """40 characters of 66, 241 bits; every character of the alphabet is used."""
    rule = PasswordRule()
    values = [rule.generate() for _ in range(300)]
    assert {len(value) for value in values} == {40}
    assert len(set(values)) == 300
    assert set("".join(values)) == set(rule.alphabet)
    assert 241 < rule.entropy_bits < 242


@given(
    symbols=st.lists(st.sampled_from(string.punctuation), unique=True).map("".join),
    length=st.integers(22, 128),
)
def test_a_policys_rule_is_kept(symbols: str, length: int) -> None:
    """Whatever symbols a policy allows: the length, the alphabet and the first letter are as promised."""
    value = PasswordRule(length, symbols).generate()
    assert len(value) == length
    assert set(value) <= set(ALPHANUMERIC + symbols)
    assert value[0] in ALPHANUMERIC


def test_no_value_is_taken_for_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare password that Airflow reads as a whole connection would be another one: it is thrown away."""
    drawn = iter("a://" + "b" * 36 + "c:/" + "d" * 37)
    monkeypatch.setattr("secrets.choice", lambda _alphabet: next(drawn))
    assert PasswordRule(40, ":/").generate() == "c:/" + "d" * 37


@pytest.mark.parametrize("symbols", ["a", "--", " ", "ü"])
def test_meaningless_symbols_are_bad_input(symbols: str) -> None:
    """No letter twice, and nothing that not every keyboard has."""
    with pytest.raises(BadInput, match="password_symbols"):
        rule_from({"password_symbols": symbols})


@pytest.mark.parametrize("length", [129, 21, 0, -40])
def test_a_length_that_does_not_do_is_refused_without_advising_what_no_entry_can_set(length: int) -> None:
    """A value could be guessed, or would be cut on its way."""
    with pytest.raises(BadInput, match=f"passwords of {length} characters") as refused:
        PasswordRule(length)
    assert "password_length" not in f"{refused.value.what} {refused.value.next_step}"


@pytest.mark.parametrize(
    ("symbols", "form", "told"),
    [
        ("-._~", "airflow-uri", []),
        ("-._~", "password", []),
        ("@/:", "password", []),
        ("@/:", "json", []),
        ("@/:", "airflow-uri", ["@/: is not written as itself", "`%`"]),
        ("-%", "password", ["`%`"]),
        ("-%", "airflow-connection", ["`%`"]),
        ('-\\"', "airflow-connection", ['\\" is not written as itself']),
    ],
)
def test_a_symbol_hurts_in_the_formats_that_do_not_bear_it(symbols: str, form: str, told: list[str]) -> None:
    """A4: encoding is told of the format that does it, `%` of whatever configparser may read."""
    found = list(rule_from({"password_symbols": symbols}).hurts(form))
    assert len(found) == len(told)
    assert all(part in one for part, one in zip(told, found, strict=True))


@given(symbols=st.lists(st.sampled_from(string.printable), max_size=8).map("".join))
@example("\n")
@example("-\n")
@example("")
@example("--")
@example(string.punctuation)
def test_the_schema_takes_the_symbols_that_the_rule_takes(symbols: str) -> None:
    """A4: an editor marks what a run would refuse, and nothing else."""
    pattern = schema(CREDENTIALS)["$defs"]["credential"]["properties"]["password_symbols"]["pattern"]
    try:
        rule_from({"password_symbols": symbols})
        is_taken = True
    except BadInput:
        is_taken = False
    assert (re.search(pattern, symbols) is not None) == is_taken


def test_the_shortest_length_is_told_and_does() -> None:
    """The length that the message advises is accepted."""
    rule = PasswordRule(PasswordRule(symbols="").shortest, "")
    assert rule.entropy_bits >= 128
