"""Whether a date says what its datatype promises (XML Schema Part 2, section 3.2.7 and on)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from lithograph.vocabulary.terms import XSD

_DAY = r"(-?\d{4,})-(\d\d)-(\d\d)"
_ZONE = r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?"
_FORMS: Final = {
    f"{XSD}date": (re.compile(f"{_DAY}{_ZONE}"), "an xsd:date such as 2024-05-29"),
    f"{XSD}dateTime": (
        re.compile(f"{_DAY}T(?:{_TIME}){_ZONE}"),
        "an xsd:dateTime such as 2024-05-29T13:00:50Z",
    ),
    f"{XSD}gYearMonth": (re.compile(rf"(-?\d{{4,}})-(\d\d){_ZONE}"), "an xsd:gYearMonth"),
    f"{XSD}gYear": (re.compile(rf"(-?\d{{4,}}){_ZONE}"), "an xsd:gYear such as 2024"),
}


def date_fault(value: str, datatype: str) -> str | None:
    """What was expected of the value, or None where it is as its datatype says.

    Values of other datatypes are taken as they are.
    """
    if datatype not in _FORMS:
        return None
    form, expected = _FORMS[datatype]
    found = form.fullmatch(value)
    if found is None:
        return expected
    year, month, day = (int(part) for part in (*found.groups(), "1", "1")[:3])
    try:
        # Leap years repeat every 400 years, so that any year can be checked.
        date(2000 + year % 400, month, day)
    except ValueError:
        return expected
    return None
