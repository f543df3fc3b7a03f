"""
Make C{twistd emperor} known to Twisted's plug-in system.
"""

from twisted.application.service import ServiceMaker

emperor = ServiceMaker(
    "txemperor",
    "emperor.tap",
    "Start vassals from configuration files and route requests to them.",
    "emperor",
)
