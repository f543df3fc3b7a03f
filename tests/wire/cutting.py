"""
Bytes as a network delivers them: cut anywhere.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st


@st.composite
def cuts(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """
    The pieces of C{whole}, in order, none of them empty.
    """
    places = draw(st.sets(st.integers(0, len(whole)), max_size=12))
    marks = sorted(places | {0, len(whole)})
    return [whole[start:stop] for start, stop in pairwise(marks)]
