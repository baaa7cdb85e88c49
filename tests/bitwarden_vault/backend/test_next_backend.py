"""Which of its steps it is that another backend fails at, so that people look in the right place."""

from __future__ import annotations

import pytest

from bitwarden_vault.backend.next_backend import NextBackend
from bitwarden_vault.errors import Misconfigured

FAULTS = {"value": ValueError, "attribute": AttributeError, "import": ImportError}


class Picky:
    """One that does not like what it is given."""

    def __init__(self, *, wrong: str = "") -> None:
        if wrong:
            raise FAULTS.get(wrong, OSError)("the token geheim is no good")

    def get_variable(self, key: str) -> str:
        """What everybody has."""
        return key


PATH = f"{__name__}.Picky"


def refusal(path: str, **kwargs: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        NextBackend(path, kwargs).ask("get_variable", "x", None, None)
    assert "geheim" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("wrong", FAULTS)
def test_one_that_cannot_be_made_is_there(wrong: str) -> None:
    """Its error is told by its kind: the text may hold a value of its own options."""
    kind = FAULTS[wrong].__name__
    assert refusal(PATH, wrong=wrong).startswith(
        f"next_backend {PATH!r} is there and cannot be made: {kind}; look at its next_backend_kwargs"
    )


def test_a_server_that_it_does_not_reach_is_an_outage() -> None:
    """Some log in as they are made; `on_outage` decides what becomes of that."""
    with pytest.raises(OSError, match="no good"):
        NextBackend(PATH, {"wrong": "network"}).ask("get_variable", "x", None, None)


def test_options_that_it_does_not_have_are_told_as_such() -> None:
    """A name too many, or one too few."""
    assert refusal(PATH, colour="blue") == f"next_backend {PATH!r} does not take its next_backend_kwargs"


@pytest.mark.parametrize("path", ["no.such.Class", f"{__name__}.Pickle", "Picky", "", f"{__name__}:Picky"])
def test_one_that_is_not_there_cannot_be_imported(path: str) -> None:
    """A module, or a name in it, or neither."""
    assert refusal(path).startswith(f"next_backend {path!r} cannot be imported")


def test_one_that_is_there_is_asked() -> None:
    """With none of its options."""
    assert NextBackend(PATH, {}).ask("get_variable", "x", None, None) == "x"
