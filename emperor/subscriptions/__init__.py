"""
The subscription server: datagrams in, pools out, and everybody told who has to know.
"""
