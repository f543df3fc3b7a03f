"""
Options written down so that uWSGI reads them exactly as they are.

The ini format is the one that every uWSGI has.  It has neither quotes nor escapes: a
value goes from its first to its last character that is no blank.  What it cannot say
is put there by a block of its logic, in which C{%(_)} stands for the value of a
variable of the environment: a line end, or nothing, which guards a blank.

Nothing else may be replaced in a value, so the file is to be loaded by C{inherit}:
then uWSGI looks for magic variables, and for no placeholder, environment or file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Variables that the one who reads it must find in his environment.
LINE_END, NOTHING = "TXEMPEROR_LINE_END", "TXEMPEROR_NOTHING"
ENVIRONMENT = {LINE_END: "\n", NOTHING: ""}

#: What a block of logic replaces.
_ITEM = "%(_)"

_BLANK = " \t\r"


class Unspeakable(ValueError):
    """
    An option that cannot be written down; the text says why.
    """


def spell(options: Iterable[tuple[str, str]]) -> bytes:
    """
    An ini file with a section C{[uwsgi]}.

    @raise Unspeakable: an option cannot be in it.
    """
    lines = (line for key, value in options for line in _lines(key, value))
    return "".join(f"{line}\n" for line in ("[uwsgi]", *lines)).encode("utf-8", "surrogateescape")


def check(key: str, value: str) -> None:
    """
    Look whether an option can be written down.

    @raise Unspeakable: it cannot.
    """
    if not key or key.strip(_BLANK) != key or key[0] in ";#[" or any(c in key for c in "=\n\0"):
        raise Unspeakable(f"{key!r} cannot be the name of an option in uWSGI's ini files")
    if "\0" in value:
        raise Unspeakable("a NUL byte does not belong into a value")
    if "\n" in value and value.strip(_BLANK) != value:
        raise Unspeakable(
            "a value with several lines can have no blank at its beginning or end: uWSGI's ini "
            "files have no way to say it"
        )
    if _is_guarded(value) and _ITEM in value:
        raise Unspeakable(
            f"a value with several lines, or a blank at its beginning or end, can have no {_ITEM}"
        )


def _is_guarded(value: str) -> bool:
    return "\n" in value or value.strip(_BLANK) != value


def _lines(key: str, value: str) -> Iterator[str]:
    check(key, value)
    name, text = key.replace("%", "%%"), value.replace("%", "%%")
    if not _is_guarded(value):
        yield f"{name} = {text}"
    elif "\n" in value:
        yield from _block(LINE_END, f"{name} = {text.replace(chr(10), _ITEM)}")
    else:
        yield from _block(NOTHING, f"{name} = {_ITEM}{text}{_ITEM}")


def _block(variable: str, line: str) -> tuple[str, str, str]:
    return f"if-env = {variable}", line, "endif ="
