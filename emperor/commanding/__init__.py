"""
Commands to the Emperor: who gives them, and who obeys.
"""
