"""The planted mistakes that the campaign has to find, by the names in which its cases are told."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.plants.for_one import Plant, drop_on_apply_error, no_record

ACCIDENTS: Mapping[str, Plant] = {
    "no record before apply": no_record,
    "drop on apply error": drop_on_apply_error,
}
