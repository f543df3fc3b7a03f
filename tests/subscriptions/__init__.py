"""
Tests for L{emperor.subscriptions}.
"""
