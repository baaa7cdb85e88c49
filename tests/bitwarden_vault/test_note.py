"""Our block in a note, and the person's text around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.note import FENCE, NoteBlock, read_note, write_note

NAMES = st.text(min_size=1).filter(lambda name: name != "history")
BLOCKS = st.builds(NoteBlock, st.dictionaries(NAMES, st.text()), st.lists(st.text()).map(tuple))
PIECES = st.sampled_from(["\n", "\r\n", " ", "```", FENCE, "{", "}", '{"a": "b"}', '{"a": 1}', "Ask Kim."])
TEXTS = st.lists(PIECES | st.text(max_size=5)).map("".join)
A_BLOCK = NoteBlock({"epoch": "7", "attempt": "a1"}, ("2026-11-25 rotated to 7",))


@given(BLOCKS, TEXTS)
def test_a_block_is_read_as_it_was_written(block: NoteBlock, text: str) -> None:
    """Whatever the person wrote, and whatever is in the block."""
    assert read_note(write_note(text, block)) == block


@given(TEXTS.filter(lambda text: read_note(text) is None), BLOCKS, BLOCKS)
def test_the_persons_text_survives_byte_for_byte(text: str, first: NoteBlock, second: NoteBlock) -> None:
    """Through a block that is added, replaced and taken out again."""
    added = write_note(text, first)
    assert added.startswith(text)
    replaced = write_note(added, second)
    assert replaced == write_note(text, second)
    assert write_note(replaced, None) == text


@given(BLOCKS, BLOCKS, TEXTS.filter(lambda text: FENCE not in text))
def test_text_after_the_block_survives(first: NoteBlock, second: NoteBlock, after: str) -> None:
    """People write below it as well."""
    note = f"{write_note('before', first)}\n{after}"
    changed = write_note(note, second)
    assert read_note(changed) == second
    assert changed.startswith("before\n\n")
    assert changed.endswith(f"```\n{after}")


def test_the_form_that_people_see() -> None:
    """One name per line; whatever is in a value, each stays on its line."""
    assert write_note("Ask Kim.", A_BLOCK) == (
        'Ask Kim.\n\n```bitwarden-vault\n{\n  "epoch": "7",\n  "attempt": "a1",\n'
        '  "history": [\n    "2026-11-25 rotated to 7"\n  ]\n}\n```'
    )


WHOLE = write_note("", A_BLOCK)
BROKEN = {
    "cut before its end": WHOLE[:-4],
    "cut in the middle": WHOLE[:40],
    "without its fence": WHOLE.removeprefix(FENCE),
    "another fence": WHOLE.replace(FENCE, "```json"),
    "no JSON any more": WHOLE.replace('"epoch"', "epoch"),
    "a value that is no text": WHOLE.replace('"7"', "7"),
    "a value that is true": f'{FENCE}\n{{"port": true}}\n```',
    "half a character in an extra": f'{FENCE}\n{{"extra": {{"a": "\\ud800"}}}}\n```',
    "a list": f"{FENCE}\n[]\n```",
    "half a character": f'{FENCE}\n{{"a": "\\ud800"}}\n```',
    "half a character in a name": f'{FENCE}\n{{"\\udfff": "a"}}\n```',
    "half a character in its history": f'{FENCE}\n{{"history": ["\\ud800"]}}\n```',
    "a history that is none": f'{FENCE}\n{{"history": "x"}}\n```',
    "indented by an editor": WHOLE.replace("```", "  ```"),
    "nested without end": f"{FENCE}\n{'[' * 100_000}\n```",
}


@pytest.mark.parametrize("note", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_block_is_a_persons_text(note: str) -> None:
    """It is neither read nor removed; a new block comes after it."""
    assert read_note(note) is None
    assert write_note(note, None) == note
    assert write_note(note, A_BLOCK) == f"{note}\n\n{WHOLE}"
    assert read_note(write_note(note, A_BLOCK)) == A_BLOCK


def test_what_is_a_number_or_an_object_elsewhere_needs_no_quotes() -> None:
    """People write them as they are in a connection; the program that writes the block next, as texts."""
    fields = '"port": 5432, "cache_seconds": 0, "extra": {"sslmode": "require", "ü": [1]}'
    written = f"Ask Kim.\n\n{FENCE}\n{{{fields}}}\n```"
    told = {"port": "5432", "cache_seconds": "0", "extra": '{"sslmode": "require", "ü": [1]}'}
    block = NoteBlock(told)
    assert read_note(written) == block
    assert read_note(write_note(written, block)) == block
    assert write_note(written, None) == "Ask Kim."


def test_the_last_whole_block_counts() -> None:
    """Somebody copied the note into itself: the copy above becomes a person's text."""
    note = f"{write_note('', NoteBlock({'epoch': '6'}))}\n{WHOLE}"
    assert read_note(note) == A_BLOCK
    assert write_note(note, NoteBlock({})).startswith(write_note("", NoteBlock({"epoch": "6"})))


def test_line_ends_of_another_system_are_read() -> None:
    """A browser may send them."""
    assert read_note(f"Ask Kim.\n\n{WHOLE}".replace("\n", "\r\n")) == A_BLOCK


def test_what_the_sdk_trims_does_not_matter() -> None:
    """It strips the ends of a note."""
    assert read_note(write_note("  Ask Kim.\n", A_BLOCK).strip()) == A_BLOCK
    assert read_note(f"{write_note('x', A_BLOCK)}  \n ".strip()) == A_BLOCK


def test_history_is_no_field() -> None:
    """It has a place of its own."""
    with pytest.raises(ValueError, match="history"):
        write_note("", NoteBlock({"history": "x"}))
