"""
The reference of all options, generated from the table::

    python -m emperor.config.reference > docs/reference/options.md
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from emperor.config.attributes import DOMAIN_LIMIT, FORM
from emperor.config.doorways import FORM as DOORWAY
from emperor.config.limits import LIMITS
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

_RLIMITS = fill(
    ", ".join(f"`{name}`" for name in LIMITS if name.startswith("rlimit-")),
    80,
    break_on_hyphens=False,
)

_VASSALS = f"""\
## In a vassal's file

The section `[emperor]` of a vassal's own file is read too, but not by its uWSGI:

```ini
[emperor]
domain = foo.com
domain = %n,modifier1=5,weight=2

[uwsgi]
socket = /run/%n.sock
```

Each `domain` puts the vassal into the pool of a host, in both routers, when it
accepts requests, and takes it out before it stops:

```
{FORM}
```

It may be repeated, up to {DOMAIN_LIMIT} times. The host may have what the key of a
subscription may: a port, a path (`foo.com/blog`, with
`subscription-mountpoints`), or a dot in front (`.foo.com`, with
`subscription-dotsplit`). Of a vassal's sockets the first that speaks uwsgi is
the pool's node.

`hold-socket` leaves the vassal's socket to the Emperor, and `on-demand` too, but the
vassal is started when somebody connects:

```
hold-socket = {DOORWAY}
on-demand = {DOORWAY}
```

The vassal finds it as its standard input, as uWSGI expects it, and must not open it
itself. A path may be relative to the vassal's directory; the mode is 666 if it is not
given. It is the node of the vassal's pools, unless `protocol` is another one. See
[a vassal](../explanation/vassal.md#where-the-emperor-has-the-socket).

With `listen-fds = true` it is descriptor 3 instead, as systemd has it, for
[programs that are not uWSGI](../howto/on-demand.md#programs-that-are-not-uwsgi).

Magic variables, the environment, `if-…`, `include` and placeholders of the section
itself work; `@(…)` and the placeholders of `[uwsgi]` do not. A value that is
wrong is logged with its file and line, and the vassal runs without it.

### Limits

```ini
[emperor]
memory-max = 512M
cpu-max = 50%
rlimit-nofile = 1024
```

Of all processes of the vassal together:

- `memory-max` and `memory-high`, bytes: over `max` something is killed, over
  `high` it is slowed down.
- `cpu-max`, percent of one processor, such as `50%` or `150%`.
- `pids-max`, how many processes and threads there may be.

Of each process, as `setrlimit(2)` has it, soft and hard; bytes, seconds of `cpu`,
or a number:

{_RLIMITS}.

`unlimited` is a value too. The first kind needs control groups (cgroup v2) that
the program may divide, see [a vassal](../explanation/vassal.md#the-keeper); where it
may not, vassals run without them, and the log says so once. A vassal with a limit
that cannot be read is not started.

Of a limit that is there several times the last one counts; with `emperor-tyrant`
[the lowest](../howto/users.md#limits). Other limits need another process, so a change
of a limit is no reload: the vassal leaves and is started again.
"""


def render() -> str:
    """
    The page.
    """
    tables = (line for service in Service for line in _section(service))
    return "\n".join([_TOP, *tables, _VASSALS])


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
