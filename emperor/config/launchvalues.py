"""
The texts of options about vassals' processes read as values.
"""

from __future__ import annotations

import re

from emperor.config.launchsettings import Grant
from emperor.config.values import BadValue
from emperor.wire.hooks import Command

_IN_ORDER = """
    chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio
    sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time
    sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
    wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
    """

#: In the order of their numbers in C{linux/capability.h}.
CAPABILITIES = tuple(_IN_ORDER.split())

#: Words of C{emperor-use-clone}, and what each one means.
NAMESPACES = {
    "ipc": "ipc",
    "net": "net",
    "pid": "pid",
    "uts": "uts",
    "mount": "mount",
    "mnt": "mount",
    "ns": "mount",
    "fs": "mount",
}

#: Words that uWSGI knows and that cannot work here, and why.
_REFUSED = {
    "user": "a user namespace needs a map of users, which nobody writes",
    "files": "a vassal would share the descriptors of the keeper, and close them",
    "io": "it shares something and separates nothing",
    "parent": "the keeper would not hear of the vassal's end",
    "sysvsem": "it shares something and separates nothing",
}


def capabilities(text: str) -> tuple[int, ...]:
    """
    Names with commas, with or without C{cap_} in front.

    @raise BadValue: one is unknown.
    """
    return tuple(map(_capability, _words(text)))


def _capability(word: str) -> int:
    name = word.lower().removeprefix("cap_")
    if name not in CAPABILITIES:
        raise BadValue(f"{word!r} is no capability; accepted: {', '.join(CAPABILITIES)}")
    return CAPABILITIES.index(name)


def namespaces(text: str) -> tuple[str, ...]:
    """
    Words with commas.

    @raise BadValue: one is unknown, or cannot work here.
    """
    return tuple(dict.fromkeys(map(_namespace, _words(text))))


def _namespace(word: str) -> str:
    if word in _REFUSED:
        raise BadValue(f"{word} is not in txemperor, because {_REFUSED[word]}")
    if word not in NAMESPACES:
        raise BadValue(f"{word!r} is no namespace; accepted: {', '.join(NAMESPACES)}")
    return NAMESPACES[word]


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise BadValue(f"{text!r} has an empty word")
    return words


#: Who has which domains.
DOMAINS_FORM = "USER:PATTERN[,PATTERN...], a PATTERN being HOST, *.DOMAIN or *"
_USER = re.compile(r"[^\s:,*]+")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")


def grant(text: str) -> Grant:
    """
    Domains of a user, of the form L{DOMAINS_FORM}.

    @raise BadValue: it has another form.
    """
    user, colon, patterns = text.partition(":")
    if not colon or not _USER.fullmatch(user.strip()):
        raise BadValue(f"{text!r} names no user; accepted: {DOMAINS_FORM}")
    if user.strip().lstrip("0") == "" or user.strip() == "root":
        raise BadValue(f"{text!r}: no vassal runs as root; accepted: {DOMAINS_FORM}")
    return Grant(user.strip(), tuple(map(_pattern, _words(patterns))))


def _pattern(word: str) -> str:
    pattern = word.lower()
    if pattern == "*":
        return pattern
    if not _HOST.fullmatch(pattern) or not pattern.isascii():
        raise BadValue(f"{word!r} is no host, without port and in ASCII; accepted: {DOMAINS_FORM}")
    return pattern.removesuffix(".")


#: What a hook may do, and the shell that does it.
HOOK_FORM = "exec:COMMAND"
_SHELL = "/bin/sh"

#: Longest text of a command in the log.
_SHOWN = 60


def hook(option: str, text: str) -> Command:
    """
    C{exec:COMMAND}, with C{!} in front if the log is not to show it.

    @raise BadValue: it is another action.
    """
    action, colon, argument = text.removeprefix("!").partition(":")
    if action != "exec" or not colon or not argument.strip():
        raise BadValue(
            f"{action!r} is no action of txemperor; accepted: {HOOK_FORM}, which can mount, "
            "write, remove and everything else"
        )
    return _command(option, argument, is_shown=not text.startswith("!"))


def command(option: str, text: str) -> Command:
    """
    A line for the shell.

    @raise BadValue: it is empty.
    """
    if not text.strip():
        raise BadValue("needs a command")
    return _command(option, text, is_shown=True)


def _command(option: str, line: str, is_shown: bool) -> Command:
    cut = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return Command(f"{option} {cut!r}" if is_shown else option, (_SHELL, "-c", line))
