"""
What C{twistd emperor --config FILE --check} prints: every setting and where
it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from emperor.config.loading import Loaded
from emperor.config.options import BY_NAME, OPTIONS, Option, Service
from emperor.config.pairs import Pair

_HIDDEN = "********"

#: C{://user:SECRET@} of URLs, C{password=SECRET} of everything else.
_SECRETS = (
    re.compile(r"(://[^/\s:@]*:)[^\s]*(?=@)"),
    re.compile(
        r"((?:password|passwd|passphrase|pass|pwd|secret|token|credential|key)[\w-]*\s*=\s*)"
        r"(?:'[^']*'|\"[^\"]*\"|[^\s;,&]+)",
        re.IGNORECASE,
    ),
)


def redacted(text: str) -> str:
    """
    A value without the passwords and keys in it.
    """
    for secret in _SECRETS:
        text = secret.sub(lambda match: match[1] + _HIDDEN, text)
    return text


def describe(loaded: Loaded) -> Iterator[str]:
    """
    The lines: C{NAME = VALUE  (FILE:LINE)}, or C{(default)}, or
    C{(as OTHER)} where another option's value counts, then the notes.

    Options of a router that does not listen are left out, and those of
    subscriptions where there can be none.
    """
    written: dict[str, list[Pair]] = {}
    for pair in loaded.pairs:
        if pair.key in BY_NAME:
            written.setdefault(BY_NAME[pair.key].name, []).append(pair)
    for option in OPTIONS:
        if _is_active(option, loaded):
            yield from _lines(option, written)
    for note in loaded.settings.notes:
        yield f"note: {redacted(note)}"


def _is_active(option: Option, loaded: Loaded) -> bool:
    routers = loaded.settings.routers
    kinds = {router.kind for router in routers}
    pools = loaded.settings.emperor.monitors or any(
        router.subscriptions.servers for router in routers
    )
    needs = {
        Service.HTTP: "http" in kinds,
        Service.FASTROUTER: "fastrouter" in kinds,
        Service.ROUTING: bool(kinds),
        Service.SUBSCRIPTIONS: bool(kinds and pools),
    }
    return needs.get(option.service, True)


def _lines(option: Option, written: dict[str, list[Pair]]) -> Iterator[str]:
    pairs = written.get(option.name, [])
    if not pairs and option.follows:
        followed = BY_NAME[option.follows]
        value = (followed.default, *(pair.value for pair in written.get(followed.name, [])))[-1]
        yield f"{option.name} = {value}  (as {followed.name})"
    elif not pairs:
        yield f"{option.name} = {option.default}".rstrip() + "  (default)"
    for pair in pairs if option.repeatable else pairs[-1:]:
        yield f"{option.name} = {redacted(pair.value)}".rstrip() + f"  ({pair.origin})"
