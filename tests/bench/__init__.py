"""
Tests for L{bench}, of what needs no servers.
"""
