"""The forms in which a login is stored as a secret's value, read and written.

Rules this file keeps:
- Writing changes user name and password only; whatever else is there stays, to the byte.
- No message repeats any part of a value.

`airflow-connection` is Airflow's own JSON, `airflow-uri` its connection URI (both as in "Managing
Connections" of Airflow's documentation); `json` is `{"username", "password", …}`; `aws-credentials` is
`{"aws_access_key_id", "aws_secret_access_key"}`; `password` is bare.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from bitwarden_vault.json_members import NoObject, is_whole, read_object, replace_members

FORMAT_FIELD = "format"
"""In the block of a secret's note: the form of its value, by the name that it has here."""
BARE = "password"
AWS_FIELDS = ("aws_access_key_id", "aws_secret_access_key")


class Unreadable(ValueError):
    """The value is not in the form it should be in. The message never repeats any of it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in and with what; user name and host are None where the form does not tell."""

    username: str | None
    password: str = field(repr=False)
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """Where the login is used: what a first value says besides the login."""

    conn_type: str
    host: str
    port: int | None
    database: str | None
    extra: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Form:
    """How one form of a value is read and written."""

    read: Callable[[str], Login]
    write: Callable[[str, Login], str]
    first: Callable[[Login, Server], str]


def read_login(form: str, value: str) -> Login:
    """The login in this value. Raises: Unreadable."""
    login = FORMS[form].read(value)
    if not login.password:
        raise Unreadable("its password is empty or missing")
    return login


def write_login(form: str, value: str, login: Login) -> str:
    """The value with this login in place of the one that is there. Raises: Unreadable."""
    return FORMS[form].write(value, login)


def first_value(form: str, login: Login, server: Server) -> str:
    """A value that holds all that a reader needs, where there was none before."""
    return FORMS[form].first(login, server)


def _read_json(user: str, password: str = "password", host: str = "host") -> Callable[[str], Login]:  # noqa: S107 - the name of a field
    def read(value: str) -> Login:
        fields = _object(value)
        return Login(_text(fields, user), _text(fields, password) or "", _text(fields, host))

    return read


def _write_json(user: str, password: str = "password") -> Callable[[str, Login], str]:  # noqa: S107 - the name of a field
    def write(value: str, login: Login) -> str:
        try:
            return replace_members(value, {user: login.username or "", password: login.password})
        except NoObject as wrong:
            raise Unreadable(str(wrong)) from None

    return write


def _object(value: str) -> dict[str, object]:
    try:
        return read_object(value)
    except NoObject as wrong:
        raise Unreadable(str(wrong)) from None


def _text(fields: dict[str, object], name: str) -> str | None:
    found = fields.get(name)
    if found is not None and not isinstance(found, str):
        raise Unreadable(f"its {name} is not a text")
    if found and not is_whole(found):
        raise Unreadable(f"its {name} holds half a character (a \\ud8… or \\udc… escape)")
    return found or None


def _first_connection(login: Login, server: Server) -> str:
    fields: dict[str, object] = {
        "conn_type": server.conn_type,
        "host": server.host,
        "port": server.port,
        "schema": server.database,
        "login": login.username,
        "password": login.password,
        "extra": dict(server.extra),
    }
    return json.dumps({name: told for name, told in fields.items() if told})


def _first_json(login: Login, server: Server) -> str:
    fields: dict[str, object] = {
        "username": login.username,
        "password": login.password,
        "host": server.host,
        "port": server.port,
        "dbname": server.database,
    }
    return json.dumps({name: told for name, told in fields.items() if told})


def _first_aws(login: Login, _: Server) -> str:
    return json.dumps(dict(zip(AWS_FIELDS, (login.username, login.password), strict=True)))


def _read_uri(value: str) -> Login:
    _, user_info, _ = _uri_parts(value)
    user, _, password = user_info.partition(":")
    try:
        host = urlsplit(value).hostname
    except ValueError:
        raise Unreadable("its host or port cannot be read") from None
    return Login(unquote(user) or None, unquote(password), unquote(host) if host else None)


def _write_uri(value: str, login: Login) -> str:
    before, _, after = _uri_parts(value)
    return f"{before}{quote(login.username or '', safe='')}:{quote(login.password, safe='')}@{after}"


def _uri_parts(value: str) -> tuple[str, str, str]:
    """What stands before the user's part, that part without its `@`, and what stands behind it."""
    scheme, separator, rest = value.partition("://")
    if not separator or not scheme or any(character.isspace() for character in scheme):
        raise Unreadable("it is not a connection URI (conn-type://user:password@host:port/database)")
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    user_info, at_sign, place = rest[:end].rpartition("@")
    return f"{scheme}://", user_info if at_sign else "", place + rest[end:]


def _first_uri(login: Login, server: Server) -> str:
    place = server.host + (f":{server.port}" if server.port else "")
    options = "&".join(
        f"{quote(name, safe='')}={quote(told, safe='')}" for name, told in server.extra.items()
    )
    path = f"/{quote(server.database or '', safe='')}" + (f"?{options}" if options else "")
    return _write_uri(f"{server.conn_type}://{place}{path}", login)


FORMS: Mapping[str, _Form] = {
    "airflow-connection": _Form(_read_json("login"), _write_json("login"), _first_connection),
    "airflow-uri": _Form(_read_uri, _write_uri, _first_uri),
    "json": _Form(_read_json("username"), _write_json("username"), _first_json),
    "aws-credentials": _Form(_read_json(*AWS_FIELDS), _write_json(*AWS_FIELDS), _first_aws),
    "password": _Form(
        lambda value: Login(None, value),
        lambda _, login: login.password,
        lambda login, _: login.password,
    ),
}
