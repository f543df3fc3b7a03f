"""
Tests for L{emperor.commanding}.
"""
