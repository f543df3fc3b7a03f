"""
Bytes to values and back; nothing here imports Twisted.
"""
