"""
YAML as a list of pairs.

Types are not looked at: C{010} and C{yes} stay the texts they are.  A key
without a value is dropped, as uWSGI does, unless it closes a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from emperor.config.errors import fault
from emperor.config.pairs import CLOSERS, NEEDS_EXTRA, Pair
from emperor.config.settings import Origin

_VALUELESS = CLOSERS | {"else"}

#: Stream, document, sections, options, list: nothing of a configuration is deeper.
_DEPTH = 8


def parse_yaml(text: str, file: str, section: str) -> list[Pair] | None:
    """
    The options under one top-level key; of an equal key only the first counts.

    @return: or L{None}: there is no such key.
    @raise ConfigurationError: it is no YAML, or an option holds a mapping.
    """
    for key, value in _mapping(_compose(text, file)):
        if key.value == section:
            return [
                pair for name, node in _mapping(value) for pair in _yaml_option(name, node, file)
            ]
    return None


def _compose(text: str, file: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError:
        raise fault(f"YAML {NEEDS_EXTRA}", Origin(file, 0)) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = text.encode("utf-8", "surrogateescape")
    try:
        _refuse_depth(yaml.parse(raw, Loader=loader), file)
        return yaml.compose(raw, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or " ".join(str(error).split())
        raise fault(f"no YAML: {why}", Origin(file, mark.line + 1 if mark else 0)) from error
    except (ValueError, RecursionError) as error:
        raise fault(f"no YAML: {error}", Origin(file, 0)) from error


def _refuse_depth(events: Iterable[Any], file: str) -> None:
    """
    Keep nests of brackets from libyaml's composer, which recurses in C.
    """
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > _DEPTH:
            raise fault("nested too deeply", Origin(file, event.start_mark.line + 1))


def _mapping(node: Any) -> list[tuple[Any, Any]]:
    return node.value if node is not None and node.id == "mapping" else []


def _yaml_option(key: Any, node: Any, file: str) -> Iterator[Pair]:
    origin = Origin(file, key.start_mark.line + 1)
    if key.id != "scalar":
        raise fault("an option's name must be a plain text", origin)
    if node.id == "scalar":
        written = node.value or node.style or key.value in _VALUELESS
        return iter([Pair(key.value, node.value, origin)] if written else [])
    if node.id == "sequence" and all(item.id == "scalar" for item in node.value):
        return (
            Pair(key.value, item.value, Origin(file, item.start_mark.line + 1))
            for item in node.value
        )
    raise fault(f"{key.value}: accepted is a text or a list of texts", origin)
