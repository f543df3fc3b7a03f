"""
Frozen values as what JSON can say, and back.

The types are those of the dataclasses' fields, so that a new setting travels
without a line of its own.  A value of a union of classes names its class under
C{"is"}, L{None} is null; bytes are UTF-8 with what is none escaped, as Python
has it for paths.  Nothing that arrives can make a value of another type than the one asked for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

#: What JSON has.
Plain = dict[str, Any] | list[Any] | str | int | float | bool | None

_ESCAPE = "surrogateescape"


class NotPlain(ValueError):
    """
    What arrived is no value of the type asked for; the message says why.
    """


def to_plain(type_: Any, value: Any) -> Plain:
    """
    A value for JSON.

    @param type_: the declared type of the value.
    """
    plain: Plain = _writer(type_)(value)
    return plain


def from_plain(type_: Any, plain: Any) -> Any:
    """
    The value that L{to_plain} was given.

    @raise NotPlain: there is no such value.
    """
    return _reader(type_)(plain)


def _checked(types: Any, plain: Any) -> Any:
    truth = isinstance(plain, bool) and types is not bool
    if truth or not isinstance(plain, types):
        raise NotPlain(f"{plain!r:.60} has the wrong type")
    return plain


def _pattern(plain: Any) -> re.Pattern[str]:
    text, flags = _checked(list, plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(_checked(str, text), _checked(int, flags))


def _same(value: Any) -> Any:
    return value


_WRITERS: dict[Any, Callable[[Any], Any]] = {
    **dict.fromkeys((str, int, bool, float), _same),
    bytes: lambda value: value.decode("utf-8", _ESCAPE),
    re.Pattern: lambda value: [value.pattern, value.flags & ~re.UNICODE],
}
_READERS: dict[Any, Callable[[Any], Any]] = {
    str: partial(_checked, str),
    int: partial(_checked, int),
    bool: partial(_checked, bool),
    float: lambda plain: float(_checked((int, float), plain)),
    bytes: lambda plain: _checked(str, plain).encode("utf-8", _ESCAPE),
    re.Pattern: _pattern,
}


# What a type takes is found out once: the environment of a vassal alone has some
# hundred strings.


@cache
def _writer(type_: Any) -> Callable[[Any], Any]:
    if type_ in _WRITERS:
        return _WRITERS[type_]
    if isinstance(type_, UnionType):
        return _write_one_of
    if get_origin(type_) is tuple:
        types = get_args(type_)
        if types[1:] == (...,):
            return partial(_each, _writer(types[0]))
        writers = tuple(map(_writer, types))
        return list if set(writers) == {_same} else partial(_row, writers)
    if issubclass(type_, Enum):
        return lambda value: value.value
    return partial(_fields_to_plain, type_)


def _each(call: Callable[[Any], Any], items: Any) -> list[Any]:
    return list(items) if call is _same else [call(item) for item in items]


def _row(calls: tuple[Callable[[Any], Any], ...], items: Any) -> list[Any]:
    if len(items) != len(calls):
        raise NotPlain(f"{len(items)} items where {len(calls)} belong")
    return [call(item) for call, item in zip(calls, items, strict=True)]


def _write_one_of(value: Any) -> Plain:
    if value is None:
        return None
    return {"is": type(value).__name__, **_fields_to_plain(type(value), value)}


@cache
def _reader(type_: Any) -> Callable[[Any], Any]:
    if isinstance(type_, UnionType):
        return partial(_one_of, type_)
    if get_origin(type_) is tuple:
        types = get_args(type_)
        if types[1:] == (...,):
            read_each = partial(_each, _reader(types[0]))
            return lambda plain: tuple(read_each(_checked(list, plain)))
        read_row = partial(_row, tuple(map(_reader, types)))
        return lambda plain: tuple(read_row(_checked(list, plain)))
    if type_ in _READERS or issubclass(type_, Enum):
        return partial(_read_value, type_, _READERS.get(type_, type_))
    return partial(_from_fields, type_)


def _read_value(type_: Any, read: Callable[[Any], Any], plain: Any) -> Any:
    try:
        return read(plain)
    except (ValueError, TypeError, OverflowError, RecursionError, re.error) as error:
        raise NotPlain(f"{plain!r:.60} is no {type_.__name__}: {error}") from error


@cache
def _hints(type_: type) -> dict[str, Any]:
    hints = get_type_hints(type_)
    return {field.name: _bare(hints[field.name]) for field in fields(type_)}


def _bare(type_: Any) -> Any:
    return re.Pattern if get_origin(type_) is re.Pattern else type_


def _fields_to_plain(type_: type, value: Any) -> dict[str, Plain]:
    return {name: _writer(hint)(getattr(value, name)) for name, hint in _hints(type_).items()}


def _from_fields(type_: type, plain: Any) -> Any:
    given = _checked(dict, plain)
    hints = _hints(type_)
    if given.keys() != hints.keys():
        raise NotPlain(f"{type_.__name__} has the fields {', '.join(hints)}")
    return type_(**{name: _reader(hint)(given[name]) for name, hint in hints.items()})


def _one_of(type_: UnionType, plain: Any) -> Any:
    types = set(get_args(type_))
    if plain is None and NoneType in types:
        return None
    rest = dict(_checked(dict, plain))
    name = rest.pop("is", "")
    for each in types - {NoneType}:
        if each.__name__ == name:
            return _from_fields(each, rest)
    raise NotPlain(f"{name!r:.60} is none of {type_}")
