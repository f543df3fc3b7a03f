"""
Verified fakes for tests of this package and of its users.
"""
