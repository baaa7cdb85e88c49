"""Files in a folder to which others may write too, who need not wish us well.

Rules this file keeps:
- Below the folder itself no link is followed and no name leads out: who plants one would have us write, show
  or remove a file of ours that is somewhere else.
- A file is made anew under a name that nobody can foresee, and takes the old one's place as a whole.
- What is no plain file is none: a pipe would hold up whoever reads it.
- What is made is the group's too, whatever the umask, and closed to all others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_NAMES = ("", ".", "..")


def read(root: str, name: str) -> bytes:
    """The file's content. Raises: OSError (FileNotFoundError: none, or no plain file)."""
    with _parent(root, name) as (folder, last):
        try:
            descriptor = _opened(folder, last)
        except OSError as wrong:
            if wrong.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
            raise
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return file.read()


def _opened(folder: int, name: str) -> int:
    try:
        return os.open(name, _PLAIN, dir_fd=folder)
    except BlockingIOError:  # no pipe, but a file that somebody gives back first (a lease)
        return os.open(name, _PLAIN & ~os.O_NONBLOCK, dir_fd=folder)


def modified(root: str, name: str) -> float:
    """When what is there was written, in seconds since 1970; of a link, itself. Raises: OSError."""
    with _parent(root, name) as (folder, last):
        return os.stat(last, dir_fd=folder, follow_symlinks=False).st_mtime


def replace(root: str, name: str, raw: bytes) -> None:
    """Put it there, in place of an older one; folders are made. Raises: OSError."""
    _make(root)
    with _parent(root, name, make=True) as (folder, last):
        beside = f"{last}.{os.urandom(8).hex()}.new"
        try:
            with os.fdopen(os.open(beside, _FRESH, 0o660, dir_fd=folder), "wb") as file:
                with contextlib.suppress(OSError):  # not every file system has modes
                    os.fchmod(file.fileno(), 0o660)
                file.write(raw)
            os.replace(beside, last, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            raise


def listed(root: str, folder: str) -> list[str]:
    """What is right in this folder. Raises: OSError."""
    with _parent(root, f"{folder}/of") as (opened, _):
        return os.listdir(opened)  # noqa: PTH208 - as everywhere in this package


def remove(root: str, name: str) -> None:
    """Raises: OSError."""
    with _parent(root, name) as (folder, last):
        os.unlink(last, dir_fd=folder)


def remove_empty(root: str, name: str) -> None:
    """A folder in which nothing is left. Raises: OSError."""
    with _parent(root, name) as (folder, last):
        os.rmdir(last, dir_fd=folder)


@contextlib.contextmanager
def _parent(root: str, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The folder that this is in, opened step by step, and its name there."""
    *folders, last = name.split("/")
    if any(part in _NO_NAMES for part in (*folders, last)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    opened = os.open(root, _FOLDER)
    try:
        for part in folders:
            below = _below(opened, part, make=make)
            os.close(opened)
            opened = below
        yield opened, last
    finally:
        os.close(opened)


def _below(folder: int, part: str, *, make: bool) -> int:
    if make:
        try:
            os.mkdir(part, 0o770, dir_fd=folder)
        except FileExistsError:
            make = False  # left as somebody made it
    try:
        below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, "it is a link") from None
        raise
    if make:
        _open_to_the_group(below)
    return below


def _make(path: str) -> None:
    """The folder itself, with those above it; one that is there is left as somebody made it."""
    if not path or os.path.isdir(path):  # noqa: PTH112 - as everywhere in this package
        return
    _make(os.path.dirname(path))  # noqa: PTH120 - as everywhere in this package
    try:
        os.mkdir(path, 0o770)  # noqa: PTH102 - as everywhere in this package
    except FileExistsError:
        return  # another process was quicker
    made = os.open(path, _FOLDER)
    _open_to_the_group(made)
    os.close(made)


def _open_to_the_group(made: int) -> None:
    with contextlib.suppress(OSError):  # not every file system has modes
        os.fchmod(made, stat.S_IMODE(os.fstat(made).st_mode) | 0o770)
