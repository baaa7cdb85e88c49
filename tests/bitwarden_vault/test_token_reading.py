"""Which tokens the environment names; a second slot that cannot be used is told and breaks nothing."""

from pathlib import Path

import pytest

from bitwarden_vault.agent_socket import socket_path
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.handover import Handover, pack_handover, unpack_handover
from bitwarden_vault.settings import overlaid, read_settings
from bitwarden_vault.token_reading import TOKEN

OWN, NEXT = "ROTATION_BWS_ACCESS_TOKEN", f"{TOKEN}_NEXT"
ORGANIZATION = "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"


def token(name: str) -> str:
    """A token that is well formed."""
    return f"0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.{name}s3cr3ts3cr3ts3cr3t:AAECAwQFBgcICQoLDA0ODw=="


FIRST, SECOND, THIRD = token("first"), token("second"), token("third")
GOOD = {TOKEN: FIRST, "BWS_ORGANIZATION_ID": ORGANIZATION}

SLOTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "one token": ({}, (FIRST,)),
    "a second one": ({NEXT: SECOND}, (FIRST, SECOND)),
    "the rotation's own, without a second one": ({NEXT: SECOND, OWN: THIRD}, (THIRD,)),
    "the rotation's own, with its own second one": (
        {NEXT: SECOND, OWN: THIRD, f"{OWN}_NEXT": FIRST},
        (THIRD, FIRST),
    ),
    "none of its own: the consumers' two": ({NEXT: SECOND}, (FIRST, SECOND)),
}


@pytest.mark.parametrize(("given", "texts"), SLOTS.values(), ids=SLOTS.keys())
def test_a_second_slot_belongs_to_its_first(given: dict[str, str], texts: tuple[str, ...]) -> None:
    """A token of another account must not go on for it: it would see other secrets."""
    settings = read_settings({**GOOD, **given}, prefer_token=OWN)
    assert tuple(one.text for one in settings.tokens) == texts
    assert settings.next_is_wrong == ""


def test_a_second_token_may_lie_in_a_file_that_waits_empty_for_its_day(tmp_path: Path) -> None:
    """So that the variable can be set once and for all."""
    file = tmp_path / "next"
    environ = {**GOOD, f"{NEXT}_FILE": str(file)}
    file.write_text("\n")
    assert read_settings(environ).tokens == read_settings(GOOD).tokens
    assert read_settings(environ).next_is_wrong == ""
    file.write_text(f"{SECOND}\n")
    assert [one.place for one in read_settings(environ).tokens] == [TOKEN, f"{NEXT}_FILE"]


UNUSABLE: dict[str, tuple[dict[str, str], str]] = {
    "cut off": ({NEXT: SECOND.partition(":")[0]}, f"{NEXT} is not an access token: the part after"),
    "no such file": ({f"{NEXT}_FILE": "/no/such"}, f"{NEXT}_FILE: the file cannot be read"),
    "two of them": ({NEXT: SECOND, f"{NEXT}_FILE": "/dev/null"}, ""),
    "the first once more": ({NEXT: FIRST}, f"{NEXT} holds the same token as {TOKEN}: empty it"),
    "the rotation's, without its first": ({f"{OWN}_NEXT": SECOND}, f"{OWN} is not set"),
}


@pytest.mark.parametrize(("given", "why"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_second_slot_that_cannot_be_used_breaks_nothing(given: dict[str, str], why: str) -> None:
    """The first goes on; why not the second is told without any part of it."""
    settings = read_settings({**GOOD, **given}, prefer_token=OWN)
    assert settings.token.text == FIRST
    assert why in settings.next_is_wrong
    assert "s3cr3t" not in settings.next_is_wrong + repr(settings)


def test_a_first_slot_is_wanted_also_where_there_is_a_second() -> None:
    """Which one is in use must not depend on a mistake."""
    with pytest.raises(Misconfigured, match="BWS_ACCESS_TOKEN is missing"):
        read_settings({**GOOD, TOKEN: "", NEXT: SECOND})


def test_a_token_given_elsewhere_takes_no_second_one_from_the_environment() -> None:
    """A connection's or backend option's token is another account's, for all that is known."""
    both = {**GOOD, NEXT: SECOND, f"{NEXT}_FILE": "/x"}
    assert overlaid(both, {TOKEN: THIRD}) == {**GOOD, TOKEN: THIRD}
    given = {f"{TOKEN}_FILE": "/f", f"{NEXT}_FILE": "/n"}
    assert overlaid(both, given) == {"BWS_ORGANIZATION_ID": ORGANIZATION, **given}
    assert overlaid(both, {"BITWARDEN_DEADLINE": "1s"})[NEXT] == SECOND


def test_who_has_the_same_two_has_the_same_agent(tmp_path: Path) -> None:
    """And a changed slot makes another one: no agent goes on with what nobody has configured any more."""
    tmp_path.chmod(0o700)
    here = {**GOOD, "BITWARDEN_SOCKET_DIR": str(tmp_path)}
    file = tmp_path / "next"
    file.write_text(SECOND)
    both = socket_path(read_settings({**here, NEXT: SECOND}))
    assert socket_path(read_settings({**here, f"{NEXT}_FILE": str(file)})) == both
    others: tuple[dict[str, str], ...] = ({}, {NEXT: THIRD}, {TOKEN: SECOND}, {TOKEN: SECOND, NEXT: FIRST})
    assert len({both, *(socket_path(read_settings({**here, **given})) for given in others)}) == 5


def test_an_agent_is_handed_both_and_where_they_came_from() -> None:
    """It tells people which variable to change."""
    settings = read_settings({**GOOD, NEXT: SECOND})
    assert unpack_handover(pack_handover(Handover(settings, "/s", 1))).settings == settings
