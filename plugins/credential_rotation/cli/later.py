"""Commands whose code is loaded when they are called: most need nothing of what the others import.

As click's documentation has it ("Lazily Loading Subcommands").
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click

_PACKAGE = __name__.rpartition(".")[0]


class LateGroup(click.Group):
    """A group with some commands in modules of their own."""

    later: ClassVar[Mapping[str, str]] = {}
    """By its name, the module that has a command of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, without loading anything."""
        return sorted({*super().list_commands(ctx), *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now; None where there is none of this name."""
        if cmd_name not in self.later:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"{_PACKAGE}.{self.later[cmd_name]}"), cmd_name)
        return command
