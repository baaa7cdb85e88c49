"""No text from anywhere makes a terminal obey or a JSON document invalid."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from credential_rotation.checks.check import Report
from credential_rotation.cli import output
from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import Problem
from credential_rotation.outcome import told
from scenes.hostile import CONTROL, PIECES
from simulators.scene import ETL

TEXTS = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(st.sampled_from([*PIECES, *CONTROL, "\0", "\ud800", "\udfff"]) | st.characters(), max_size=10),
    st.sampled_from([1, 1, 500]),
)


def printed(text: str, *, as_json: bool) -> tuple[str, str]:
    """Standard output and error of everything that prints, as bytes would arrive in a terminal."""
    outcome = replace(told(ETL, "failed", text, next_step=text), name=text)
    problem, error = Problem(text, 3, text, text), BadInput(text, next_step=text)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        output.progress(text)
        output.show([outcome], (problem,), as_json=as_json, agent={text: text})
        if not as_json:
            output.show_check(Report((outcome,), (problem,), (error,), (text,)), as_json=False)
            output.show_error(error, as_json=False)
    for stream in (out, err):
        stream.seek(0)
    return out.read(), err.read()


@settings(max_examples=60, derandomize=True)
@given(text=TEXTS)
@example(text="\x1b[2J")
@example(text="\ud800")
def test_no_text_makes_the_terminal_obey(text: str) -> None:
    """Neither outcomes, problems, errors and notes nor what is being done; nothing fails to be printed."""
    for shown in printed(text, as_json=False):
        assert all(one.isprintable() for one in shown.split("\n"))


@settings(max_examples=60, derandomize=True)
@given(text=TEXTS)
@example(text="\ud800")
def test_any_text_comes_back_from_json_as_it_was(text: str) -> None:
    """One document in ASCII, and words for people beside it."""
    out, err = printed(text, as_json=True)
    assert out.isascii()
    [one] = json.loads(out)["credentials"]
    assert (one["name"], one["reason"], one["next_step"]) == (text, text.removeprefix("etl: "), text)
    assert all(line.isprintable() for line in err.split("\n"))
