"""Password generation: long, random, and in letters that nothing has to encode.

Rules this file keeps:
- Randomness comes from `secrets`; nothing is derived from names, times or earlier values.
- The default alphabet means the same in a URL, a shell, YAML, INI with interpolation, JSON, CSV and a format
  string: `urllib.parse.quote(value) == value`. A value always begins with a letter or digit.
- A rule weaker than `MINIMUM_BITS` is refused, whatever the policy says.

The default rule gives 40 characters out of 66: 241 bits.
"""

from __future__ import annotations

import json
import math
import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from credential_rotation.errors import BadInput

ALPHANUMERIC = string.ascii_letters + string.digits
DEFAULT_SYMBOLS = "-._~"
DEFAULT_LENGTH = 40
LONGEST = 128
"""Longer values are cut or refused by poolers and client libraries; nothing is gained by them."""
MINIMUM_BITS = 128

SYMBOLS_OPTION = "password_symbols"


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """How values are made: letters and digits, and the symbols that are allowed beside them."""

    length: int = DEFAULT_LENGTH
    symbols: str = DEFAULT_SYMBOLS

    def __post_init__(self) -> None:
        odd = sorted({letter for letter in self.symbols if letter not in string.punctuation})
        if odd or len(set(self.symbols)) != len(self.symbols):
            raise BadInput(
                f"{SYMBOLS_OPTION} may hold printable ASCII symbols, each once (no letters, digits, spaces)",
                next_step=f"Leave it out for {DEFAULT_SYMBOLS!r}, which nothing has to encode.",
            )
        if self.length > LONGEST or self.entropy_bits < MINIMUM_BITS:
            raise BadInput(
                f"passwords of {self.length} characters do not do: between {MINIMUM_BITS} bits of entropy "
                f"and {LONGEST} characters are asked for",
                next_step=f"Make them {DEFAULT_LENGTH} characters long, or {self.shortest} at least.",
            )

    @property
    def alphabet(self) -> str:
        """All characters that a value may hold."""
        return ALPHANUMERIC + self.symbols

    @property
    def entropy_bits(self) -> float:
        """What an attacker who knows the rule has to guess."""
        if self.length < 1:
            return 0.0
        return math.log2(len(ALPHANUMERIC)) + (self.length - 1) * math.log2(len(self.alphabet))

    @property
    def shortest(self) -> int:
        """The least length that has enough entropy with these symbols."""
        rest = MINIMUM_BITS - math.log2(len(ALPHANUMERIC))
        return 1 + math.ceil(rest / math.log2(len(self.alphabet)))

    def hurts(self, form: str) -> Iterator[str]:
        """What is not itself any more where a value is written in this format, and who stumbles over it."""
        changed = "".join(symbol for symbol in self.symbols if _written(symbol, form) != symbol)
        if changed:
            yield f"{changed} is not written as itself in {form}: who cuts the password out has to decode it"
        if any("%" in _written(symbol, form) for symbol in self.symbols):
            yield f"{form} then holds a `%`, which breaks tools that read it by configparser (alembic)"

    def generate(self) -> str:
        """A new value, which nobody takes for a connection's URI."""
        while True:
            first = secrets.choice(ALPHANUMERIC)
            value = first + "".join(secrets.choice(self.alphabet) for _ in range(self.length - 1))
            if "://" not in value:
                return value


def _written(symbol: str, form: str) -> str:
    """One symbol as a format has it; a bare password is what it is."""
    if form == "airflow-uri":
        return quote(symbol, safe="")
    return symbol if form == "password" else json.dumps(symbol)[1:-1]


def rule_from(options: Mapping[str, str]) -> PasswordRule:
    """The rule that an entry's options ask for. Raises: BadInput."""
    return PasswordRule(symbols=options.get(SYMBOLS_OPTION, DEFAULT_SYMBOLS))
