"""`Any` and `TYPE_CHECKING`, for annotations in what agent and workers import.

Not from `typing`: neither has another use for it, and who waits for the first value would wait 2 ms for each
of them to import it.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any as Any  # noqa: PLC0414 - so that it may be imported from here
else:
    Any = object
