"""
Tests for L{emperor.announcing}.
"""
