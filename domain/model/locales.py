"""The languages in which merchants read."""

from enum import StrEnum


class Locale(StrEnum):
    JA = "JA"
    EN = "EN"
