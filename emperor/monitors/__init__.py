"""
Where vassals are written down; one file per source.
"""
