"""The SQLSTATE of a login that failed, which psycopg does not tell.

Rules this file keeps:
- libpq is asked to put the code, and nothing else of the server's words, into its message; so neither the
  server's language nor its mood decides what a failure means.
- The very libpq that psycopg runs on is asked, or none: a second copy would be given a foreign pointer.
"""

from __future__ import annotations

import ctypes
import re
import sys
from functools import cache

from psycopg import pq

_SQLSTATE_ONLY = 3
"""PQERRORS_SQLSTATE of PGVerbosity, in libpq since PostgreSQL 12."""
_CODE_AT_END = re.compile(r":  ([0-9A-Z]{5})\s*\Z")


@cache
def _libpq() -> ctypes.CDLL | None:
    """The library that psycopg's own connection class is linked to.

    Looking a symbol up in a loaded extension also searches what that extension was linked to, and finds
    the copy bundled into a wheel under a name of its own, on Linux and macOS alike.
    """
    try:
        if pq.__impl__ == "python":
            library: ctypes.CDLL = sys.modules["psycopg.pq._pq_ctypes"].pq
        else:
            library = ctypes.CDLL(str(sys.modules[pq.PGconn.__module__].__file__))
        if library.PQlibVersion() != pq.version():
            return None
        library.PQsetErrorVerbosity.argtypes = (ctypes.c_void_p, ctypes.c_int)
        library.PQsetErrorVerbosity.restype = ctypes.c_int
    except (OSError, AttributeError, KeyError):
        return None
    return library


def wants_codes(connection: pq.abc.PGconn) -> bool:
    """Have this connection report failures by SQLSTATE; False where libpq could not be reached."""
    library = _libpq()
    pointer = getattr(connection, "pgconn_ptr", None)
    if library is None or not pointer:
        return False
    library.PQsetErrorVerbosity(pointer, _SQLSTATE_ONLY)
    return True


def code_in(message: str) -> str | None:
    """The SQLSTATE at the end of a failed login's message; None where the failure was libpq's own."""
    found = _CODE_AT_END.search(message)
    return found[1] if found else None
