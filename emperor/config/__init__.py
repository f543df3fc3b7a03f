"""
How uWSGI's configuration files become frozen settings.
"""
