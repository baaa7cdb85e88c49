"""Which access token logs in: the first, and the second once the first is refused.

Rules this file keeps:
- Only a token that is refused, or is not where it should be, moves on: silence, 429 and trouble of a server's
  own say nothing about it.
- The second is in use when its login has succeeded, and not before; from then on everybody is told.
- Once both are refused it begins at the first again: a person may have mended it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bitwarden_vault.access_token import AccessToken
from bitwarden_vault.errors import RefusedToken, VaultError
from bitwarden_vault.wire import Message


@dataclass(slots=True, eq=False)
class TokenSlots:
    """One or two tokens, and what Bitwarden said of them."""

    tokens: Sequence[AccessToken] = ()
    ages: Sequence[float | None] = (None,)
    """Seconds since a login on disk was written with each of them; None where there is none."""
    say: Callable[[str], None] = lambda _: None
    """Told once when a second token has taken over."""
    current: int = 0
    _refused: dict[int, VaultError] = field(default_factory=dict)
    _is_proved: bool = False
    _fetched: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def in_use(self) -> str:
        """The place and the public id of the token that logs in."""
        return self.tokens[self.current].name if self.tokens else ""

    @property
    def order(self) -> Message:
        """What a worker must know to log in, or to use the login that another one made."""
        return {"slot": self.current, "token": self._fetched.get(self.current, "")}

    @property
    def asked(self) -> str:
        """Who has to answer before there is a login."""
        source = self.tokens[self.current].source if self.tokens else ""
        return "Bitwarden's identity service" + (f", or AWS for {source}," if source else "")

    def learn(self, fetched: str | None) -> None:
        """The text of the current one, where a worker had to fetch it."""
        if fetched:
            self._fetched[self.current] = fetched

    @property
    def notice(self) -> Message:
        """What goes along with every answer while a token is in use that was meant for later."""
        if not (self._refused and self._is_proved):
            return {}
        number, error = next(iter(self._refused.items()))
        refused, used = self.tokens[number], self.tokens[self.current]
        why = "expired or revoked" if isinstance(error, RefusedToken) else error.message
        return {
            "notice": f"the access token in {refused.name} is refused ({why}); in use is "
            f"the one in {used.name}. Put that one into {refused.place}, keep a new one ready in "
            f"{used.place}, and restart what still has the old one"
        }

    def accept(self) -> None:
        """The login of the current one succeeded."""
        self._refused.pop(self.current, None)
        is_news, self._is_proved = not self._is_proved, True
        if is_news and self._refused:
            self.say(str(self.notice["notice"]))

    def refuse(self, error: VaultError) -> VaultError | None:
        """The current one cannot be used: None when another goes on, else what to tell."""
        self._refused[self.current], self._is_proved = error, False
        left = [number for number in range(len(self.tokens)) if number not in self._refused]
        if left:
            self.current = left[0]
            return None
        told = error if len(self._refused) == 1 else self._both(error)
        self.current = 0
        self._refused.clear()
        return told

    def _both(self, last: VaultError) -> VaultError:
        places = " and ".join(one.name for one in self.tokens)
        reasons = dict.fromkeys(one.message for one in (*self._refused.values(), last))
        return RefusedToken(f"no access token can be used, of {places}. {'; '.join(reasons)}")
