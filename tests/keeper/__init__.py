"""
Tests for L{emperor.keeper}.
"""
