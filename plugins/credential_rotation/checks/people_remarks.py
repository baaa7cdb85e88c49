"""What `check` says about those who take values by hand, and about where people's words are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bitwarden_vault.state_folder import state_folder
from bitwarden_vault.state_settings import PATH
from credential_rotation.by_hand import BY_HAND, named
from credential_rotation.model import Credential, Strategy
from credential_rotation.state.confirmations import by_hand


def remarks_on_people(environ: Mapping[str, str], credentials: Iterable[Credential]) -> Iterator[str]:
    """One sentence or two for each thing that people should know."""
    credentials = tuple(credentials)
    waited_for = [one for one in credentials if by_hand(one)]
    says = waited_for or any(one.engine == BY_HAND for one in credentials)
    if says and not environ.get(PATH, "").strip():
        yield (
            f"{PATH} is not set: what people confirm and close is kept on this host alone "
            f"({state_folder(environ).path}), and other hosts go on waiting. With more hosts set it to "
            "a folder or bucket that all share."
        )
    for one in waited_for:
        if one.strategy is Strategy.IN_PLACE and one.policy.is_scheduled:
            yield (
                f"{one.name} is rotated in place by schedule, where the old value dies at once: each time "
                f"{named(by_hand(one))} is refused until a person has handed on the new one. `strategy: "
                "alternating` waits for that; `policy: manual` rotates when somebody is there."
            )
