"""
The reference of all options, generated from the table::

    python -m emperor.config.reference > docs/reference/options.md
"""

from __future__ import annotations

from collections.abc import Iterator

from emperor.config.options import OPTIONS, Option, Service

_TOP = """\
# Options

Generated from the option table: `python -m emperor.config.reference`.

An option is a line `name = value` of the section `[uwsgi]` or `[emperor]`.
Of an option given twice the last one counts, unless it may be repeated.
Addresses are `:port`, `ip:port`, `[v6]:port`, `/path` or `@abstract`.
In a file, `%%s` is written for `%s`: a single `%` begins a magic variable.

Options marked + are ours; uWSGI does not have them.
"""


def render() -> str:
    """
    The page.
    """
    return "\n".join([_TOP, *(line for service in Service for line in _section(service))])


def _section(service: Service) -> Iterator[str]:
    yield f"## {service.value}\n"
    yield "| option | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for option in OPTIONS:
        if option.service is service:
            yield _row(option)
    yield ""


def _row(option: Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.names) + (" +" if option.ours else "")
    value = option.kind.value + ("; may be repeated" if option.repeatable else "")
    default = option.default or option.follows
    default = f"`{default}`" if default else ""
    return f"| {names} | {value} | {default} | {option.help} |"


if __name__ == "__main__":
    print(render(), end="")
