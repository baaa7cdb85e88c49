"""Members of a JSON object are replaced, and every other byte stays as its author wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.json_members import NoObject, read_object, replace_members

OURS = ("username", "password")
blanks = st.text(" \t\n\r", max_size=3)
PECULIAR = [
    *("1.0", "-0", "1e5", "1E+2", "0.10", "12345678901234567890123", "true", "false", "null"),
    *(
        '"\\u0041\\/"',
        '"\\ud83d\\ude00"',
        '"}{,:"',
        '"a \\"quoted\\" }"',
        '"\\\\"',
        "[ ]",
        "{ }",
        '{"a":{"a":1}}',
    ),
]
values = st.sampled_from(PECULIAR) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
).flatmap(
    lambda value: st.builds(
        json.dumps, st.just(value), ensure_ascii=st.booleans(), indent=st.none() | st.just(1)
    )
)


def escaped(text: str) -> str:
    """Every character as JSON's escape, which names the same member."""
    return '"' + "".join(f"\\u{ord(one):04x}" for one in text) + '"'


@dataclass(frozen=True)
class Written:
    """An object as somebody wrote it, in pieces."""

    pieces: tuple[tuple[str, str, str, str], ...]
    """What stands before a member's value (with its name), its name, its value, and what stands behind."""
    begin: str
    end: str

    def text(self, **changed: str) -> str:
        members = [before + changed.get(name, value) + after for before, name, value, after in self.pieces]
        return self.begin + ",".join(members) + self.end


@st.composite
def objects(draw: st.DrawFn, *, with_ours: tuple[str, ...] = OURS) -> Written:
    foreign = draw(st.lists(st.text().filter(lambda name: name not in OURS), unique=True, max_size=4))
    names = draw(st.permutations([*foreign, *with_ours]))
    pieces = []
    for name in names:
        small = all(ord(one) < 0x10000 for one in name)
        written = draw(st.sampled_from([json.dumps(name), json.dumps(name, ensure_ascii=False)]))
        if small and draw(st.booleans()):
            written = escaped(name)
        before = draw(blanks) + written + draw(blanks) + ":" + draw(blanks)
        pieces.append((before, name, draw(values), draw(blanks)))
    return Written(tuple(pieces), draw(blanks) + "{" + ("" if pieces else draw(blanks)), "}" + draw(blanks))


@given(objects(), st.text(), st.text())
def test_every_foreign_byte_survives(written: Written, username: str, password: str) -> None:
    """Order, blanks, numbers, escapes and whatever the other members hold; ours are replaced in place."""
    changed = replace_members(written.text(), {"username": username, "password": password})
    assert changed == written.text(username=json.dumps(username), password=json.dumps(password))


@given(objects(with_ours=()), st.text(), st.text())
def test_what_is_missing_is_added_at_the_end(written: Written, username: str, password: str) -> None:
    """Before the closing brace, and nothing else moves."""
    text = written.text()
    changed = replace_members(text, {"username": username, "password": password})
    assert json.loads(changed) == json.loads(text) | {"username": username, "password": password}
    assert changed.startswith(text[: text.rindex("}")].rstrip())
    assert changed.endswith(text[text.rindex("}") :])


@given(objects())
def test_reading_is_what_any_json_reader_reads(written: Written) -> None:
    """The same members with the same values."""
    assert read_object(written.text()) == json.loads(written.text())


@given(objects(), st.text(), st.text())
def test_replacing_twice_is_replacing_once(written: Written, first: str, second: str) -> None:
    """An attempt that is run again leaves the same text."""
    once = replace_members(written.text(), {"password": second})
    assert replace_members(replace_members(written.text(), {"password": first}), {"password": second}) == once


@given(objects(), st.sampled_from(OURS), values)
def test_a_member_that_is_there_twice_is_refused(written: Written, name: str, value: str) -> None:
    """Which of the two a reader takes is anybody's guess, however the name is written."""
    for again in (json.dumps(name), escaped(name)):
        text = written.begin + f"{again}: {value}," + written.text()[len(written.begin) :]
        with pytest.raises(NoObject):
            read_object(text)
        with pytest.raises(NoObject):
            replace_members(text, {name: "new"})


NO_OBJECTS = {
    "nothing": "",
    "blanks": " \n",
    "a bare password": "canary-0815",
    "a string": '"canary-0815"',
    "a list": '["canary-0815"]',
    "a number": "0815",
    "cut in a value": '{"password": "canary-0815',
    "cut after a value": '{"password": "canary-0815"',
    "cut after a name": '{"password"',
    "cut after a brace": "{",
    "a comma too many": '{"password": "canary-0815",}',
    "only a comma": "{,}",
    "no comma": '{"a": "canary-0815" "b": 1}',
    "single quotes": "{'password': 'canary-0815'}",
    "no quotes": "{password: canary-0815}",
    "a line break in a string": '{"password": "canary-0815\n"}',
    "something behind": '{"password": "canary-0815"} // canary-0815',
    "two objects": '{"password": "canary-0815"}{"password": "canary-0815"}',
    "a byte order mark": '\ufeff{"password": "canary-0815"}',
    "a blank that JSON does not know": '{\u00a0"password": "canary-0815"}',
    "too deep": '{"password": "canary-0815", "x": ' + "[" * 100_000,
    "a number too long": '{"password": "canary-0815", "x": ' + "1" * 5_000 + "}",
}


@pytest.mark.parametrize("what", NO_OBJECTS)
def test_what_is_no_object_is_refused_without_a_word_of_it(what: str) -> None:
    """Neither read nor changed, and the message may be shown to anybody."""
    for call in (read_object, lambda text: replace_members(text, {"password": "x"})):
        with pytest.raises(NoObject) as refusal:
            call(NO_OBJECTS[what])
        assert "canary" not in str(refusal.value)
        assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
