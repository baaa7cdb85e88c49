"""One strict connection to PostgreSQL, on which every wait ends at a deadline.

Rules this file keeps:
- Only a SCRAM exchange counts as a login, over TLS exactly as the entry says; no environment variable,
  password file or fallback changes how or as whom we connect.
- A failed login tells its SQLSTATE, never the server's words. What libpq itself says (DNS, TLS, a refused
  connection) is told.
- `Refused` means the server took the statement, said no, and still talks to us. Everything else that goes
  wrong is `Lost`: what was sent may have happened, or may still happen.
- What a server answers need not be text: names and comments may come from a database of another encoding.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress
from types import TracebackType

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from credential_rotation.engines.postgres.sqlstate import code_in, wants_codes
from credential_rotation.engines.postgres.target import Place
from credential_rotation.model import Secret

APPLICATION = "credential-rotation"
NEUTRAL = {"sslcertmode": b"allow", "min_protocol_version": b"3.0", "max_protocol_version": b"3.0"}
"""What stands for "not set" where libpq has no default of its own and takes no empty word."""
OLDEST_LIBPQ = 160000
"""The first that knows `require_auth`."""
FOR_PEOPLE, TO_THE_BYTE = "backslashreplace", "surrogateescape"
"""What becomes of bytes that are no text: words that can be printed, or what is refused on the way back."""
NOT_TEXT = "22021"
"""What the server says to bytes that are no text in the encoding that was agreed on."""
Row = tuple[str | None, ...]


class NoLogin(Exception):
    """No connection came about. `sqlstate` is None where the server did not say why."""

    def __init__(self, why: str, *, sqlstate: str | None = None, asked_password: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.sqlstate = sqlstate
        self.asked_password = asked_password
        """Whether the server took part in an exchange about the password before it said no."""


class _NobodyThere(NoLogin):
    """This address was not reached: the host's next one may be."""


class Refused(Exception):
    """The server refused a statement, and the connection goes on."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Lost(Exception):
    """The connection ended, or gave no answer in time."""


class Connection:
    """A connection that has logged in; made by `connect`, ended by leaving its context."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn = pgconn
        self._psycopg = psycopg.Connection[Row](pgconn)
        pgconn.nonblocking = 1

    def __enter__(self) -> Connection:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._psycopg.close()

    @property
    def backend_pid(self) -> int:
        """The process that the other side named at login; a pooler names one of its own making."""
        return self._pgconn.backend_pid

    @property
    def used_password(self) -> bool:
        """Whether this login was by password."""
        return self._pgconn.used_password

    @property
    def server_version(self) -> int:
        """The server's version as libpq counts: 160004."""
        return self._pgconn.server_version

    def verifier(self, secret: Secret) -> str:
        """What the server stores of a password under SCRAM, made here: the password is not sent."""
        name = secret.principal.encode()
        return self._pgconn.encrypt_password(secret.password.encode(), name, b"scram-sha-256").decode()

    def ask(self, statement: sql.Composable, *, seconds: float, no_text: str = FOR_PEOPLE) -> list[Row]:
        """Run one statement and return its rows as text. Raises: Refused, Lost."""
        try:
            text = statement.as_bytes(self._psycopg)
        except UnicodeEncodeError:  # what came here to the byte; no server takes it back (measured)
            raise Refused(NOT_TEXT) from None
        result = self._result(text, time.monotonic() + seconds)
        decoded = []
        for row in range(result.ntuples):
            cells = (result.get_value(row, column) for column in range(result.nfields))
            decoded.append(tuple(None if cell is None else cell.decode(errors=no_text) for cell in cells))
        return decoded

    def _result(self, statement: bytes, deadline: float) -> pq.abc.PGresult:
        try:
            self._pgconn.send_query(statement)
            while self._pgconn.flush():
                self._wait(read=True, write=True, deadline=deadline)
                self._pgconn.consume_input()
            last = None
            while (result := self._next_result(deadline)) is not None:
                last = result
        except (psycopg.Error, OSError):
            raise Lost("the connection broke off") from None
        if last is None or self._pgconn.status != pq.ConnStatus.OK:
            raise Lost("the connection broke off")
        if last.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return last
        raise _said_no(last)

    def _next_result(self, deadline: float) -> pq.abc.PGresult | None:
        while self._pgconn.is_busy():
            self._wait(read=True, write=False, deadline=deadline)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _wait(self, *, read: bool, write: bool, deadline: float) -> None:
        if not _is_ready(self._pgconn.socket, read=read, write=write, deadline=deadline):
            self.close()
            raise Lost("no answer in time")


def connect(place: Place, secret: Secret) -> Connection:
    """Log in, strictly, within the place's time for each of its addresses. Raises: NoLogin."""
    *others, last = _addresses(place)
    for address in others:
        with suppress(_NobodyThere):
            return Connection(_log_in(place, secret, address))
    return Connection(_log_in(place, secret, last))


def _addresses(place: Place) -> list[str]:
    """The host's addresses, looked up here so that each gets its own time; a socket has none."""
    if place.is_local_socket:
        return [""]
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoLogin(f"the host name {place.host} cannot be resolved") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _log_in(place: Place, secret: Secret, address: str) -> pq.abc.PGconn:
    deadline = time.monotonic() + place.connect_timeout
    if pq.version() < OLDEST_LIBPQ:
        raise NoLogin("psycopg's libpq is older than 16 and cannot insist on SCRAM; install psycopg[binary]")
    if not _can_be_sent(secret.principal) or not _can_be_sent(secret.password):
        raise NoLogin("the name or the password holds a NUL or half a character, and cannot be sent")
    try:
        pgconn = pq.PGconn.connect_start(_conninfo(place, secret, address))
    except (psycopg.Error, MemoryError):
        raise NoLogin("libpq did not take the connection's parameters") from None
    try:
        _poll(pgconn, deadline, secret)
    except BaseException:
        pgconn.finish()
        raise
    return pgconn


def _can_be_sent(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _poll(pgconn: pq.abc.PGconn, deadline: float, secret: Secret) -> None:
    """Drive the login to its end."""
    if pgconn.status != pq.ConnStatus.BAD and not wants_codes(pgconn):
        raise NoLogin("the libpq that psycopg runs on cannot be asked for error codes on this machine")
    reached_login = False
    while pgconn.status != pq.ConnStatus.BAD:
        turn = pgconn.connect_poll()
        if turn == pq.PollingStatus.OK:
            return
        if turn == pq.PollingStatus.FAILED:
            break
        reached_login = reached_login or pgconn.status == pq.ConnStatus.AWAITING_RESPONSE
        reading = turn == pq.PollingStatus.READING
        if not _is_ready(pgconn.socket, read=reading, write=not reading, deadline=deadline):
            raise _NobodyThere("no answer in time")
    raise _no_login(pgconn, secret, reached_login=reached_login)


def _no_login(pgconn: pq.abc.PGconn, secret: Secret, *, reached_login: bool) -> NoLogin:
    message = pgconn.get_error_message()
    code = code_in(message)
    if code is not None:
        return NoLogin(f"SQLSTATE {code}", sqlstate=code, asked_password=pgconn.used_password)
    own_words = " ".join(message.split())[:300].replace(secret.password, "…")
    if reached_login:
        return NoLogin(f"the server did not demand SCRAM, or broke off the login: {own_words}")
    return _NobodyThere(own_words)


def _is_ready(descriptor: int, *, read: bool, write: bool, deadline: float) -> bool:
    left = deadline - time.monotonic()
    if left <= 0:
        return False
    poll = select.poll()
    poll.register(descriptor, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    return bool(poll.poll(left * 1000))


def _said_no(result: pq.abc.PGresult) -> Refused | Lost:
    """An ERROR is a no; FATAL and PANIC end the session, possibly after a commit."""
    severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
    code = result.error_field(pq.DiagnosticField.SQLSTATE)
    if severity == b"ERROR" and code is not None:
        return Refused(code.decode())
    return Lost("the server ended the session")


def _conninfo(place: Place, secret: Secret, address: str) -> bytes:
    """Every parameter said out loud, so that no environment variable or service file adds one."""
    ours = {
        "host": place.host,
        "hostaddr": address,
        "port": str(place.port),
        "dbname": place.dbname,
        "user": secret.principal,
        "password": secret.password,
        "passfile": os.devnull,
        "require_auth": "scram-sha-256",
        "sslmode": place.sslmode,
        "sslrootcert": place.sslrootcert,
        "gssencmode": "disable",
        "application_name": APPLICATION,
        "client_encoding": "UTF8",
        "connect_timeout": str(place.connect_timeout),
        "keepalives": "1",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "20000",
    }
    for option in pq.Conninfo.get_defaults():
        keyword = option.keyword.decode()
        if option.envvar is not None and keyword not in ours and keyword != "service":
            ours[keyword] = (option.compiled or NEUTRAL.get(keyword, b"")).decode()
    return make_conninfo("", **ours).encode()
