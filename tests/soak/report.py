"""
What a soak shows at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.soak.watching import Tally

#: Sentences about failures of one site.
MOST_DETAILS = 20


def report(tallies: Mapping[str, Tally], deeds: Sequence[str], *, whole: bool) -> str:
    """
    A table with a line for each site, then what failed.

    @param whole: with everything that was done.
    """
    lines = [f"{'site':8} {'answered':>8} {'longest':>8}  failures; while it was removed"]
    for name, tally in tallies.items():
        failures = f"{_kinds(tally.failures)}; {_kinds(tally.removed)}"
        lines.append(f"{name:8} {tally.answered:8} {tally.longest:5} ms  {failures}")
        lines += [f"    {detail}" for detail in tally.details[:MOST_DETAILS]]
    lines.append(f"{len(deeds)} things were done")
    return "\n".join([*lines, *(deeds if whole else ())])


def _kinds(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none"
