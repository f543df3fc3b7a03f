"""
The sockets of the routers: requests in, answers out.
"""
