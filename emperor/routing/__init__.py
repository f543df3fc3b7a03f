"""
A routing key to the node that answers it; pure, time is an argument.
"""
