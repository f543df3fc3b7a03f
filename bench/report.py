"""
Samples into medians and ratios, and those into a table and into JSON.

A ratio is taken round by round, of two samples that were taken one after the
other, and the median is that of the ratios: a machine that is busy for a while
then disturbs both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.measures import Measure, Sample
from bench.servers import Who


@dataclass(frozen=True, slots=True)
class Result:
    """
    What came of a case.

    @ivar samples: those of each contender, in the order of the rounds.
    @ivar failure: why there are none; empty if there are.
    """

    case: str
    about: str
    samples: Mapping[Who, Sequence[Sample]] = field(default_factory=dict)
    failure: str = ""

    def measures(self) -> list[Measure]:
        """
        What was measured.
        """
        first = next(iter(self.samples.values()), ())
        return list(first[0]) if first else []

    def values(self, who: Who, measure: Measure) -> list[float]:
        """
        One figure of each round; none of one who was not there.
        """
        return [sample[measure] for sample in self.samples.get(who, ())]

    def ratio(self, who: Who, rival: Who, measure: Measure) -> float | None:
        """
        How C{who} compares to C{rival}; L{None} if one was not there, or
        measured nothing.
        """
        pairs = zip(self.values(who, measure), self.values(rival, measure), strict=False)
        ratios = [mine / theirs for mine, theirs in pairs if theirs]
        return median(ratios) if ratios else None


def table(results: Iterable[Result], contenders: Sequence[Who]) -> str:
    """
    A table in Markdown; the ratios are those of txemperor to its rivals.
    """
    rivals = [who for who in contenders if who is not Who.TXEMPEROR]
    titles = ["case", "", *(who.value for who in contenders)]
    titles += [f"to {who.value}" for who in rivals]
    rule = ["---", "---", *["--:"] * (len(titles) - 2)]
    rows = [row for result in results for row in _rows(result, contenders, rivals)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [titles, rule, *rows])


def _rows(result: Result, contenders: Sequence[Who], rivals: Sequence[Who]) -> Iterator[list[str]]:
    if result.failure:
        blank = [""] * (len(contenders) + len(rivals) - 1)
        yield [f"**{result.case}**", "failed", result.failure.replace("|", "/"), *blank]
    name = f"**{result.case}**"
    for measure in result.measures():
        medians = [_figure(result.values(who, measure)) for who in contenders]
        ratios = [result.ratio(Who.TXEMPEROR, rival, measure) for rival in rivals]
        yield [name, measure.value, *medians, *map(_ratio, ratios)]
        name = ""


def _figure(values: Sequence[float]) -> str:
    if not values:
        return "-"
    middle = median(values)
    digits = 2 if abs(middle) < 10 else 1 if abs(middle) < 100 else 0
    return f"{middle:,.{digits}f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """
    All figures of all rounds, with their medians and ratios.
    """
    return {result.case: _case(result) for result in results}


def _case(result: Result) -> dict[str, Any]:
    if result.failure:
        return {"about": result.about, "failure": result.failure}
    return {
        "about": result.about,
        "measures": {measure.value: _measure(result, measure) for measure in result.measures()},
    }


def _measure(result: Result, measure: Measure) -> dict[str, Any]:
    answer = {}
    for who in result.samples:
        values = result.values(who, measure)
        answer[who.value] = {
            "median": median(values),
            "rounds": values,
            "txemperor's to this": result.ratio(Who.TXEMPEROR, who, measure),
        }
    return answer
