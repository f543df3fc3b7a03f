"""
Which names are options, which belong to somebody else, which are slips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from emperor.config.errors import Problem
from emperor.config.evaluator import INCLUDES, SETTERS
from emperor.config.instance import SHARED, has_instance
from emperor.config.logic import OPENERS
from emperor.config.names import ABSENT, NEEDLESS, REFUSED, SUBSCRIBING, UNSUPPORTED, WORKER
from emperor.config.options import BY_NAME, Kind
from emperor.config.pairs import CLOSERS, Pair
from emperor.config.reader import LOADERS
from emperor.config.values import flag, is_plain

#: Words that did their work while the files were read.
STRUCTURE = frozenset(
    {*OPENERS, *CLOSERS, *LOADERS, *INCLUDES, *SETTERS, "else", "inherit", "print", "exit"}
)

#: Things that twistd does.
_LEFT_TO_TWISTD = {
    "pidfile": "--pidfile",
    "pidfile2": "--pidfile",
    "daemonize": "--logfile",
    "daemonize2": "--logfile",
    "logto": "--logfile",
    "logto2": "--logfile",
    "umask": "--umask",
    "chdir": "--rundir",
}

#: Unknown names that are told apart one by one.
_SLIPS_LIMIT = 20


#: Of a flag that has another value; it is so in uWSGI.
_IS_ON = "is on, as all is but false, off, no and 0; on is written true, on, yes or 1"


@dataclass(slots=True)
class Classified:
    """
    The pairs sorted by whom they concern.

    @ivar options: the pairs of each option, under its name, in order.
    @ivar instance: the pairs for the uWSGI that is to be started; none: it is
        not.
    @ivar slips: names that nobody knows; they are in C{problems} or in
        C{notes} as well.
    """

    options: dict[str, list[Pair]] = field(default_factory=dict)
    instance: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    slips: list[Problem] = field(default_factory=list)


def classify(
    pairs: Iterable[Pair], used: set[str], *, whole: bool = True, certain: bool = True
) -> Classified:
    """
    Sort the pairs.

    @param used: names that are placeholders because something asks for them.
    @param whole: every line was read, so that nothing else can use a name.
    @param certain: the pairs are all that there are.
    """
    pairs = list(pairs)
    result = Classified(instance=_instance(pairs))
    worker: dict[str, None] = {}
    slips: list[Pair] = []
    for pair in pairs:
        key = pair.key
        if key in BY_NAME:
            result.options.setdefault(BY_NAME[key].name, []).append(pair)
            if BY_NAME[key].kind is Kind.FLAG and not is_plain(pair.value):
                result.notes.append(f"{pair.origin}: {key} = {pair.value} {_IS_ON}")
        elif say := refusal(key, bool(result.instance) or not certain):
            result.problems.append(Problem(say, pair.origin))
        elif key in NEEDLESS:
            result.notes.append(f"{pair.origin}: {key} is not needed here: {NEEDLESS[key]}")
        elif key in WORKER or key in SUBSCRIBING:
            worker[key] = None
        elif key in _LEFT_TO_TWISTD:
            result.notes.append(
                f"{pair.origin}: {key} is not ours: twistd has {_LEFT_TO_TWISTD[key]}"
            )
        elif key not in STRUCTURE and key not in used:
            slips.append(pair)
    if worker:
        theirs = "not ours: a uWSGI worker's options"
        whose = "a uWSGI is started with" if result.instance else theirs
        result.notes.append(f"{whose}: {', '.join(worker)}")
    # What was not read may use any name, but hardly one that is nearly an option.
    _judge([pair for pair in slips if whole or _nearest(pair.key)], result)
    return result


def refusal(key: str, has_instance: bool = False) -> str:
    """
    Why an option is refused; empty: it is not.

    @param has_instance: there is, or may be, a uWSGI to be started.
    """
    if key in ABSENT:
        return f"{key} is not in txemperor, because {ABSENT[key]}"
    if key in REFUSED and not (has_instance and key in SUBSCRIBING):
        return f"{key} is not ours: {REFUSED[key]}"
    return f"{key} is not supported by this version of txemperor" if key in UNSUPPORTED else ""


def _instance(pairs: list[Pair]) -> list[Pair]:
    """
    What the uWSGI of our file is told, if there is to be one: what is a worker's,
    and what nobody knows, for its application may.
    """
    if not has_instance(pairs):
        return []
    ours = (BY_NAME, ABSENT, REFUSED, NEEDLESS, UNSUPPORTED, _LEFT_TO_TWISTD, STRUCTURE)
    foreign = SHARED | SUBSCRIBING
    return [
        pair
        for pair in pairs
        if pair.key in foreign or not any(pair.key in names for names in ours)
    ]


def _judge(slips: list[Pair], result: Classified) -> None:
    strict = result.options.get("strict")
    is_strict = strict is not None and flag(strict[-1].value)
    for pair in slips[:_SLIPS_LIMIT]:
        say = f"{pair.key!r} is no option and nothing uses it{_nearest(pair.key)}"
        result.slips.append(Problem(say, pair.origin))
        if is_strict:
            result.problems.append(result.slips[-1])
        else:
            result.notes.append(f"{pair.origin}: {say}")
    if len(slips) > _SLIPS_LIMIT:
        result.notes.append(f"{len(slips) - _SLIPS_LIMIT} more names are no options")


def _nearest(key: str) -> str:
    near = get_close_matches(key[:64], [*BY_NAME, *sorted(STRUCTURE)], n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""
