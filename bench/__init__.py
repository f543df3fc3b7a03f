"""
C{make bench}: txemperor beside uWSGI and nginx, measured in one run.
"""
