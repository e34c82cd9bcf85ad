"""Single values as COCO files have them, ill-typed ones too: ids, sizes, dates, addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard
from urllib.parse import quote, urlsplit

from lithograph.formats.imported import E_MAIL, FindingKind, Findings, RecordFault

#: From here on a float no longer tells one whole number from the next.
_EXACT = 2**53

_DATE = re.compile(
    r"(\d{4})[-/:](\d\d)[-/:](\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)? ?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


def shown(value: object) -> str:
    """A value, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def read_id(record: Mapping[str, Any], key: str, path: str, findings: Findings) -> str:
    """An id as text: whole numbers to the last digit, strings as they are.

    Strings (``"2299"`` is 2299) and floats without fraction are accepted and told of. A float of
    2^53 or more has lost digits, and stands for no id. Raises RecordFault.
    """
    value = record.get(key)
    place = f"{path}.{key}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        findings.add(FindingKind.ID_TYPE, place, shown(value))
        return str(int(value))
    if isinstance(value, str) and value.strip() and is_text(value):
        findings.add(FindingKind.ID_TYPE, place, shown(value))
        return value.strip()
    raise RecordFault(place, f"expected a whole number, found {shown(value)}")


def read_size(value: Any) -> int | None:
    """A width or height in pixels, from a number or (as Aïoli writes it) a string; else None."""
    if isinstance(value, str) and value.isascii() and value.strip().isdecimal():
        value = int(value) if len(value) < 20 else 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 < value < _EXACT else None


def is_text(value: Any) -> TypeGuard[str]:
    """Whether a value is a string that UTF-8 can write: JSON may escape half a character."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def read_date(value: Any) -> str | None:
    """A date with a time → ``xsd:dateTime`` lexical form; None for anything else.

    ``YYYY-MM-DD HH:MM:SS``, with ``T``, ``/`` or ``:`` in the usual places, a fraction and a zone
    where there is one. No zone and no time of day are made up.
    """
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, time, fraction, zone = match.groups()
    if zone and zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    lexical = f"{year}-{month}-{day}T{time}{fraction or ''}{zone or ''}"
    try:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}T{time}{zone or ''}")
    except ValueError:
        return None
    offset = moment.utcoffset()
    # xsd:dateTime knows no zone beyond 14 hours.
    return None if offset and abs(offset.total_seconds()) > 14 * 3600 else lexical


def web_iri(value: Any) -> str | None:
    """An http or https address as an IRI, or None for anything else.

    What no IRI may hold (spaces, quotes, brackets …) is percent-encoded; the rest stays, cut or
    not. An address that names a user or holds an e-mail address is not kept.
    """
    if not is_text(value):
        return None
    text = value.strip()
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    if not sound or parts.username is not None or not _PRINTABLE.fullmatch(text):
        return None
    if E_MAIL.search(text):
        return None
    address, mark, fragment = text.partition("#")
    return _encoded(address) + mark + _encoded(fragment)


_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")
#: A percent sign that begins no percent-encoded byte, and what no part of an IRI may hold.
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})|[^\w%\-.~:/?@!$&'()*+,;=]|[\u0080-\u009f]")


def _encoded(text: str) -> str:
    return _STRAY.sub(lambda match: quote(match.group(), safe=""), text)
