"""A JSON object of long arrays, read element by element in bounded memory.

A streaming parser stops at the first fault. This one only finds where each element of an array
begins and ends, by its brackets and quotes, and leaves the element itself to :mod:`json`: an
element that is no JSON, that is not UTF-8, or that says ``NaN``, is one bad element, and the next
is read as if nothing had been. Whole numbers keep every digit, whatever their length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

from lithograph.errors import FormatError

#: Bytes that are read at a time.
_BLOCK = 1 << 20
#: Bytes that are kept of an element that is too long.
_HEAD = 4096

_SPACE = re.compile(rb"[ \t\n\r]*+")
_WORD = re.compile(rb'[^ \t\n\r,:"\[\]{}]*+')
# A bracket, a whole string, or the quote that begins an unended one. The character class stands
# first since the search for one is twice as fast as that for alternatives.
_TOKEN = re.compile(rb'["\[\]{}](?:(?<=")[^"\\]*+(?:\\.[^"\\]*+)*+")?', re.DOTALL)
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_QUOTE, _OPENING = ord('"'), b"[{"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an array, undecoded.

    ``array`` is the array's key, empty where the file's top level is an array itself. ``offset`` is
    its first byte in the file. An element that is ``too_long`` has lost all but its beginning.
    """

    array: str
    index: int
    offset: int
    text: bytes
    too_long: bool = False

    @property
    def path(self) -> str:
        """Where it stands: ``annotations[17]``."""
        return f"{self.array}[{self.index}]"


class JsonArrays:
    """The elements of the arrays whose keys are ``wanted``, in the order of the file.

    Everything else is passed over. A byte order mark is tolerated. Elements of more than
    ``max_bytes`` are passed over too and come as ``too_long``. Where the top level is an array, its
    elements are given with an empty key. ``keys`` are the top level's keys met so far, each with
    the byte that it begins at.

    Iterating raises FormatError, with the byte and line, where the file as a whole is no JSON
    object of arrays: cut short, brackets that do not match, a wanted key that holds no array or
    stands twice.
    """

    def __init__(
        self, stream: BufferedReader, subject: object, wanted: Collection[str], max_bytes: int
    ) -> None:
        self.keys: dict[str, int] = {}
        self._scanner = _Scanner(stream, subject)
        self._wanted, self._max_bytes = wanted, max_bytes

    def __iter__(self) -> Iterator[Element]:
        scanner = self._scanner
        scanner.begin()
        if scanner.peek() == b"[":
            yield from scanner.array("", self._max_bytes)
        elif scanner.peek() == b"{":
            yield from self._members()
        else:
            raise scanner.error("expected a JSON object")
        if scanner.peek():
            raise scanner.error("expected the end of the file")

    def _members(self) -> Iterator[Element]:
        scanner, keys = self._scanner, self.keys
        scanner.take(b"{")
        while scanner.peek() != b"}" or keys:
            key, start = self._key()
            if key in self._wanted and key in keys:
                raise scanner.error(
                    f"expected {key!r} once, as at byte {keys[key]}, but again", start
                )
            keys[key] = start
            scanner.take(b":")
            if key not in self._wanted:
                scanner.where = repr(key)
                scanner.value(0)
            elif scanner.peek() == b"[":
                yield from scanner.array(key, self._max_bytes)
            else:
                raise scanner.error(f"{key}: expected an array")
            if scanner.peek() != b",":
                break
            scanner.take(b",")
        scanner.take(b"}")

    def _key(self) -> tuple[str, int]:
        if self._scanner.peek() != b'"':
            raise self._scanner.error("expected a key in quotes")
        start, text, _ = self._scanner.value(_HEAD)
        try:
            return str(parse(text)), start
        except ValueError as error:
            raise self._scanner.error(f"expected a key, but it is {error}", start) from error


def parse(text: bytes) -> Any:
    """One JSON value. Whole numbers keep their digits; NaN and Infinity are let through as floats.

    Raises ValueError, saying why, where it is no JSON or not UTF-8, and where an object has one key
    twice with different values: either could be the one that was meant.
    """
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at its byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at its character {error.pos}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for key, value in pairs:
            if found[key] != value:
                raise ValueError(f"ambiguous: the key {key!r} stands twice with different values")
    return found


class _Scanner:
    """A window on the file that moves on. ``at`` is the next byte, counted within the window."""

    def __init__(self, stream: BufferedReader, subject: object) -> None:
        self.stream, self.subject = stream, subject
        self.window, self.at, self.base = b"", 0, 0
        self.where = "the top level"

    def begin(self) -> None:
        """Step over a byte order mark. Raises FormatError for one of another encoding."""
        while len(self.window) < 3 and self._more(0):
            pass
        if self.window.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise self.error("expected UTF-8, but the byte order mark is that of UTF-16", 0)
        if self.window.startswith(b"\xef\xbb\xbf"):
            self.at = 3

    def _more(self, keep: int) -> bool:
        """Read on, forgetting the window before ``keep``; False at the end of the file."""
        block = self.stream.read(max(_BLOCK, len(self.window) - keep))
        if not block:
            return False
        self.window = self.window[keep:] + block
        self.base += keep
        self.at -= keep
        return True

    def peek(self) -> bytes:
        """The next byte that is no space, empty at the end of the file."""
        while True:
            self.at = _SPACE.match(self.window, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.window):
                return self.window[self.at : self.at + 1]
            if not self._more(self.at):
                return b""

    def take(self, expected: bytes) -> None:
        """Step over one byte. Raises FormatError where another one is there."""
        if self.peek() != expected:
            raise self.error(f"expected {expected.decode()!r}")
        self.at += 1

    def array(self, key: str, max_bytes: int) -> Iterator[Element]:
        """The elements of the array that begins here."""
        self.take(b"[")
        index = 0
        while self.peek() != b"]" or index:
            self.where = f"{key}[{index}]"
            offset, text, too_long = self.value(max_bytes)
            yield Element(key, index, offset, text, too_long)
            index += 1
            if self.peek() != b",":
                break
            self.take(b",")
        self.take(b"]")
        self.where = "the top level"

    def value(self, max_bytes: int) -> tuple[int, bytes, bool]:
        """The value that begins here: its offset, its text, and whether it was too long to keep."""
        first = self.peek()
        offset = self.base + self.at
        if first and first in b'"[{':
            return (offset, *self._bracketed(offset, max_bytes))
        end = self.at
        while (end := _WORD.match(self.window, end).end()) == len(self.window):  # type: ignore[union-attr]
            before = self.base
            if end - self.at > _HEAD or not self._more(self.at):
                break
            end -= self.base - before
        text = self.window[self.at : end]
        if not text or len(text) > _HEAD:
            raise self.error("expected a value")
        self.at = end
        return offset, text, False

    def _bracketed(self, offset: int, max_bytes: int) -> tuple[bytes, bool]:
        """A string, array or object, by counting brackets outside strings."""
        depth, in_string, head, too_long = 0, False, b"", False
        start = scan = self.at
        while True:
            if in_string:
                scan = _IN_STRING.match(self.window, scan).end()  # type: ignore[union-attr]
                if self.window[scan : scan + 1] == b'"':
                    scan, in_string = scan + 1, False
                    if depth == 0:
                        break
            if not in_string:
                scan, depth, in_string, whole = self._count(scan, depth)
                if whole:
                    break
            too_long = too_long or scan - start > max_bytes
            if too_long and not head:
                head = self.window[start : start + min(_HEAD, max_bytes)]
            keep = scan if too_long else start
            if not self._more(keep):
                raise self.error(f"the file ends inside {self.where}, which begins here,", offset)
            scan, start = scan - keep, start - keep
        self.at = scan
        if too_long or scan - start > max_bytes:
            return head or self.window[start : start + min(_HEAD, max_bytes)], True
        return self.window[start:scan], False

    def _count(self, scan: int, depth: int) -> tuple[int, int, bool, bool]:
        """Count on through the window: where it stopped, depth, in a string?, at the end?"""
        for match in _TOKEN.finditer(self.window, scan):
            code, scan = self.window[match.start()], match.end()
            if code == _QUOTE:
                if scan - match.start() == 1:
                    return scan, depth, True, False
            elif code in _OPENING:
                depth += 1
            else:
                depth -= 1
            if depth == 0:
                return scan, depth, False, True
        return len(self.window), depth, False, False

    def error(self, message: str, offset: int | None = None) -> FormatError:
        """The error to raise: what was expected, what stands there instead, and where."""
        place = self.base + self.at if offset is None else offset
        found = ""
        if offset is None:
            byte = self.peek()
            found = f", found {byte.decode('latin-1')!r}" if byte else ", found the end of the file"
            place = self.base + self.at
        return FormatError(
            f"{self.subject}: {message}{found} at byte {place} (line {self._line(place)})",
            subject=self.subject,
        )

    def _line(self, offset: int) -> int:
        """The line of a byte, from 1. Counted only when something is wrong."""
        self.stream.seek(0)
        lines, left = 1, offset
        while left > 0 and (block := self.stream.read(min(_BLOCK, left))):
            lines += block.count(b"\n")
            left -= len(block)
        return lines
