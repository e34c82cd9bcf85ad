"""Aïoli's ids are names: whole numbers in base 38, of projects, photographs and regions.

An Aïoli COCO export numbers an image by ``<project>-<file stem>`` and an annotation by
``<file stem>-<region>``, lower-cased and read as one number over ``0-9a-z-_``. Leading zeros are
lost on the way; what can be told of them is put back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz-_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
#: The longest file name on common file systems, plus a project and a hyphen.
_LONGEST = 255 + 17

#: Projects are 13 hexadecimal digits, or 16, of which up to two zeros may have been lost.
_IMAGE = re.compile(r"([0-9a-f]{13,16})-(.+)", re.DOTALL)
_ANNOTATION = re.compile(r"(.*)-([0-9a-f]{16})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ImageId:
    """A decoded image id: ``name`` is ``<project>-<stem>``, both lower case."""

    project: str
    stem: str

    @property
    def name(self) -> str:
        """The name that the number stands for."""
        return f"{self.project}-{self.stem}"


@dataclass(frozen=True, slots=True)
class AnnotationId:
    """A decoded annotation id: the annotated photograph's stem, in lower case, and the region."""

    stem: str
    region: str


def decode(number: int) -> str:
    """A number of 0 or more → the name it stands for, without leading zeros ('0' for 0)."""
    if number < 0:
        raise ValueError(f"Aïoli id: expected a number of 0 or more, found {number}")
    digits = []
    while number:
        number, value = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[value])
    return "".join(reversed(digits)) or "0"


def encode(name: str) -> int:
    """A name over ``0-9a-z-_`` → its number. Capitals count as small letters."""
    number = 0
    for character in name.lower():
        if character not in _VALUES:
            raise ValueError(
                f"Aïoli name: expected the characters {_DIGITS!r}, found {character!r} in {name!r}"
            )
        number = number * len(_DIGITS) + _VALUES[character]
    return number


def image_id(number: str) -> ImageId | None:
    """The digits of an image id → what it says, or None where it is no Aïoli id."""
    match = _IMAGE.fullmatch(_decoded(number))
    if match is None:
        return None
    project, stem = match.groups()
    # 13 digits are whole: a time stamp of our days begins with 5 or 6. 14 and 15 were 16.
    return ImageId(project if len(project) == 13 else project.rjust(16, "0"), stem)


def annotation_id(number: str) -> AnnotationId | None:
    """The digits of an annotation id → what it says, or None where it is no Aïoli id."""
    match = _ANNOTATION.fullmatch(_decoded(number))
    return None if match is None else AnnotationId(*match.groups())


def same_stem(first: str, second: str) -> bool:
    """Whether two stems are one, leading zeros and capitals left aside."""
    return first.lower().lstrip("0") == second.lower().lstrip("0")


def _decoded(number: str) -> str:
    """The name of a number given by its digits; empty where it is none, or too long to be one."""
    if not (number.isascii() and number.isdecimal()) or len(number) > 2 * _LONGEST:
        return ""
    return decode(int(number))
