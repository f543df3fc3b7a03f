"""
Emperor, FastRouter, HTTP router and subscription server for uWSGI sites.
"""

__version__ = "0.1.0"
