"""
C{make soak}: sites are edited, broken, mended, removed and killed under load,
and nothing fails but what was removed.
"""
