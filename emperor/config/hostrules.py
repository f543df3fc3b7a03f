"""
C{route-host = REGEX uwsgi:ADDRESS,MODIFIER1,MODIFIER2} read into a rule.

Patterns are uWSGI's, which are PCRE's; what C{re} spells differently is
translated, what it does not have is an error.
"""

from __future__ import annotations

import re
import warnings

from emperor.addresses import FORMS, BadAddress, parse_address, parse_node
from emperor.config.settings import HostRule, Origin
from emperor.config.values import BadValue, number

_NAMED_GROUP = re.compile(r"\\.|\(\?<(?![=!])", re.DOTALL)
_POSIX_CLASS = re.compile(r"\[\[?[^]]*\[:\^?\w+:\]|\[\[:")
_CAPTURE = re.compile(r"\$([0-9])", re.ASCII)
_PORT = re.compile(r"(?<!\?):(?:\d|\\d|\[0-9)", re.ASCII)

_ACTION = "uwsgi:ADDRESS,MODIFIER1,MODIFIER2"


def parse_rule(text: str, origin: Origin, *, raw_host_key: bool) -> HostRule:
    """
    Read one rule.

    @param raw_host_key: the case of the host counts.
    @raise BadValue: the pattern or the action is none of those accepted.
    """
    expression, _, action = text.partition(" ")
    pattern = _compile(expression, raw_host_key)
    template, modifiers = _action(action.strip())
    _check_template(template, pattern.groups)
    first, second = (number(modifier, highest=255) for modifier in modifiers)
    return HostRule(pattern, template, first, second, origin)


def names_port(rule: HostRule) -> bool:
    """
    Whether a pattern asks for a port.
    """
    return _PORT.search(rule.pattern.pattern) is not None


def _compile(expression: str, raw_host_key: bool) -> re.Pattern[str]:
    if not expression:
        raise BadValue(f"has no pattern; accepted: REGEX {_ACTION}")
    if _POSIX_CLASS.search(expression):
        raise BadValue(
            f"{expression!r}: classes such as [[:alpha:]] are not supported; write [a-z]"
        )
    translated = _NAMED_GROUP.sub(
        lambda match: "(?P<" if match[0] == "(?<" else match[0], expression
    )
    flags = re.ASCII if raw_host_key else re.ASCII | re.IGNORECASE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(translated, flags)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise BadValue(f"{expression!r} is no regular expression: {error}") from error


def _action(action: str) -> tuple[str, list[str]]:
    name, colon, arguments = action.partition(":")
    if name != "uwsgi" or not colon:
        raise BadValue(f"{action!r} is no action; accepted: {_ACTION}")
    parts = [part.strip() for part in arguments.split(",")]
    if len(parts) != 3:
        raise BadValue(f"{action!r} must have two commas: {_ACTION}")
    return parts[0], parts[1:]


def _check_template(template: str, groups: int) -> None:
    for capture in _CAPTURE.findall(template):
        if int(capture) > groups:
            raise BadValue(f"{template!r}: the pattern has {groups} groups, there is no ${capture}")
    # A name may not come from the client: it could lead anywhere.
    parse = parse_address if _CAPTURE.search(template) else parse_node
    for example in ("1", "x"):
        try:
            parse(_CAPTURE.sub(example, template))
            return
        except BadAddress:
            continue
    raise BadValue(f"{template!r} is no address; accepted: {FORMS}")
