"""A COCO file as a file: opened behind guards, record by record, refused as a whole or in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from lithograph.entities import Refusal
from lithograph.errors import FormatError
from lithograph.formats.coco_values import shown
from lithograph.formats.imported import RecordFault, kept_fragment, kept_text
from lithograph.formats.json_arrays import Element, JsonArrays, parse

_EXPECTED = "expected a COCO object with images, categories and annotations"
#: Keys that tell another kind of COCO file from one with outlines and boxes.
_OTHER_KINDS = {
    "segments_info": "a panoptic segmentation, whose masks are in PNG files beside it",
    "caption": "captions",
    "keypoints": "keypoints",
}


@dataclass(frozen=True, slots=True)
class CocoLimits:
    """Guards for a file from outside: bytes of the file, and of one record of it."""

    file_bytes: int = 64 * 2**30
    record_bytes: int = 16 * 2**20


@contextmanager
def opened(path: Path, limits: CocoLimits) -> Iterator[BufferedReader]:
    """The file, open for reading. Raises FormatError where it cannot be read or is too large."""
    try:
        if not path.is_file():
            raise FormatError(f"{path}: expected a COCO file, found none", subject=path)
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > limits.file_bytes:
                raise FormatError(
                    f"{path}: expected at most {limits.file_bytes} bytes, found {size}",
                    subject=path,
                )
            yield stream
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}", subject=path) from error


def state_of(stream: BufferedReader) -> tuple[int, int, int]:
    """What changes when somebody writes to the file or puts another in its place."""
    status = os.fstat(stream.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


def record_of(element: Element) -> dict[str, Any]:
    """An element as a JSON object. Raises RecordFault."""
    if element.too_long:
        raise RecordFault(element.path, "longer than the limit of one record")
    try:
        record = parse(element.text)
    except ValueError as error:
        raise RecordFault(element.path, str(error)) from error
    if not isinstance(record, dict):
        raise RecordFault(element.path, f"expected an object, found {shown(record)}")
    return record


def refused(element: Element, faults: Sequence[RecordFault]) -> Refusal:
    """A record that is kept out: the path of its first fault, all of them as the reason."""
    first, *others = faults
    reasons = [first.reason]
    reasons += [f"{fault.path.removeprefix(element.path)[1:]}: {fault.reason}" for fault in others]
    try:
        parse(element.text)
        source = kept_text(element.text)
    except ValueError:
        source = kept_fragment(element.text)
    return Refusal(path=first.path, reason="; ".join(reasons), source=source)


def check_top_level(path: Path, element: Element) -> None:
    """Raise FormatError where the file's top level is an array, as this element of it shows."""
    if element.array:
        return
    try:
        record = record_of(element)
    except RecordFault:
        record = {}
    found = (
        "detection results (give the ground truth that they belong to)"
        if {"image_id", "category_id"} <= set(record)
        else "an array"
    )
    raise FormatError(f"{path}: {_EXPECTED}, found {found}", subject=path)


def check_kind(path: Path, element: Element) -> None:
    """Raise FormatError where the first annotation is of another kind than outlines and boxes."""
    try:
        record = record_of(element)
    except RecordFault:
        return
    for key, kind in _OTHER_KINDS.items():
        if key in record:
            raise FormatError(
                f"{path}: expected outlines or boxes (COCO object detection), found {kind}: "
                f"{element.path} has the key {key!r}",
                subject=path,
            )


def check_keys(path: Path, arrays: JsonArrays) -> None:
    """Raise FormatError where a file, read to its end, had no ``images``."""
    if "images" not in arrays.keys:
        found = ", ".join(shown(key) for key in list(arrays.keys)[:8]) or "no key at all"
        raise FormatError(f"{path}: {_EXPECTED}, found {found}", subject=path)
