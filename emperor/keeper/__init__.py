"""
A small process between the Emperor and its vassals: it starts them, tells of
their end, and leaves nothing of them behind.
"""
