"""
What runs: the Emperor and its vassal processes.
"""
