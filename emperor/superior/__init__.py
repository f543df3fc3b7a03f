"""
The Emperor above us, whose vassal the whole program is.
"""
