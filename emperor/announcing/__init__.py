"""
A client of subscription servers: it puts a node into pools, keeps it there, and
takes it out.
"""
