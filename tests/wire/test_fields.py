"""
Tests for L{emperor.wire.fields}; those of the values are in
L{tests.wire.test_subscription}.
"""

from __future__ import annotations

from dataclasses import fields

from twisted.trial.unittest import SynchronousTestCase

from emperor.wire.fields import FIELDS
from emperor.wire.subscription import Announcement


class FieldTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """
        Each part of an announcement is one variable, but the word in the header, and
        what nobody may say of himself.
        """
        attributes = [field.attribute for field in FIELDS]
        self.assertEqual(
            sorted(["leaving", "owner", *attributes]),
            sorted(field.name for field in fields(Announcement)),
        )

    def test_usual(self) -> None:
        """
        What is not sent is what is assumed without it.
        """
        assumed = {field.name: field.default for field in fields(Announcement)}
        for field in FIELDS:
            if field.usual is not None and field.attribute != "address":
                value = field.read(field.name.decode(), field.usual)
                self.assertEqual(value, assumed[field.attribute], field.name)
