from __future__ import annotations

import contextlib
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithograph.errors import FormatError
from lithograph.formats import json_arrays
from lithograph.formats.imported import kept_fragment, kept_text
from lithograph.formats.json_arrays import Element, JsonArrays, parse

WANTED = {"images", "annotations"}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
flags = st.booleans()
objects = st.fixed_dictionaries(
    {},
    optional={
        "info": values,
        "images": st.lists(values, max_size=5),
        "annotations": st.lists(values, max_size=5),
        'a "quoted" \\ key': values,
    },
)


def read(data: bytes, max_bytes: int = 1 << 20) -> list[Element]:
    stream: Any = io.BufferedReader(io.BytesIO(data))
    return list(JsonArrays(stream, "a.json", WANTED, max_bytes))


@pytest.fixture(params=[1, 2, 3, 7, 64, 1 << 20])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every place of a file is some block's border."""
    monkeypatch.setattr(json_arrays, "_BLOCK", request.param)
    return int(request.param)


@given(
    whole=objects, indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), bom=st.booleans()
)
def test_every_element_is_found(
    whole: Any, indent: int | None, ascii_only: bool, bom: bool
) -> None:
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode()
    data = b"\xef\xbb\xbf" * bom + text
    for size in (1, 5, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_arrays, "_BLOCK", size)
            elements = read(data)
        found = [(element.path, parse(element.text)) for element in elements]
        assert found == [
            (f"{key}[{index}]", value)
            for key, entries in whole.items()
            if key in WANTED
            for index, value in enumerate(entries)
        ]
        for element in elements:
            assert data[element.offset :].startswith(element.text)


@given(values)
def test_a_bare_array_has_no_key(value: Any) -> None:
    (element,) = read(json.dumps([value]).encode())
    assert (element.array, element.index, parse(element.text)) == ("", 0, value)


@given(data=st.binary(max_size=60), start=st.sampled_from([b"", b'{"images":[', b'{"a":']))
def test_any_bytes_give_elements_or_a_format_error(data: bytes, start: bytes) -> None:
    with contextlib.suppress(FormatError):
        for element in read(start + data):
            with contextlib.suppress(ValueError):
                parse(element.text)


def test_a_bad_element_stops_no_other(block: int) -> None:
    data = b'{"images": [{"a": NaN}, {"a": 01}, {"a"}, nope, "\xff", {"b": [1,]}, {"c": 3}]}'
    found = []
    for element in read(data):
        try:
            found.append(str(parse(element.text)))
        except ValueError as error:
            found.append(str(error).partition(" at its")[0])
    assert found == [
        "{'a': nan}",
        "not JSON",
        "not JSON",
        "not JSON",
        "not UTF-8",
        "not JSON",
        "{'c': 3}",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a JSON object, found the end of the file at byte 0 (line 1)"),
        (b"hello", "expected a JSON object, found 'h' at byte 0 (line 1)"),
        (b'"x"', "expected a JSON object, found '\"' at byte 0 (line 1)"),
        (b"\xff\xfe{\x00}\x00", "expected UTF-8, but the byte order mark is that of UTF-16"),
        (b'{"images": [{"id": 1}, {"id": 2', "the file ends inside images[1], which begins here"),
        (b'{\n"images": [\n{"id": 1},\n{"id"', "at byte 25 (line 4)"),
        (b'{"info": {"year": 20', "the file ends inside 'info', which begins here, at byte 9"),
        (b'{"images": [1, 2', "expected ']', found the end of the file at byte 16"),
        (b'{"images": []', "expected '}', found the end of the file at byte 13"),
        (b'{"images": [1}', "expected ']', found '}' at byte 13"),
        (b'{"images": [1,]}', "expected a value, found ']' at byte 14"),
        (b'{"images": [{"id": 1]}]}', "expected ']', found '}' at byte 21"),
        (b'{"images": {}}', "images: expected an array, found '{' at byte 11"),
        (b'{"images": null}', "images: expected an array, found 'n' at byte 11"),
        (b'{"images": [], "images": []}', "expected 'images' once, as at byte 1, but again"),
        (b'{"images": [],}', "expected a key in quotes, found '}' at byte 14"),
        (b"{images: []}", "expected a key in quotes, found 'i' at byte 1"),
        (b'{"images" []}', "expected ':', found '[' at byte 10"),
        (b'{"\xff": 1}', "expected a key, but it is not UTF-8"),
        (b'{"images": []} {}', "expected the end of the file, found '{' at byte 15"),
        (b'{"info": "unended', "the file ends inside 'info'"),
        (b'{"info": "ends in a \\', "the file ends inside 'info'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    data: bytes, message: str, block: int
) -> None:
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read(data)
    assert caught.value.subject == "a.json"


def test_elements_that_are_too_long_are_passed_over(block: int) -> None:
    long = '{"text": "' + '\\\\ ]} \\" ' * 90 + '", "more": [' + "1, " * 90 + "1]}"
    data = f'{{"images": [{{"id": 1}}, {long}, {json.dumps("x" * 900)}, {{"id": 4}}]}}'.encode()
    elements = read(data, max_bytes=100)
    assert [element.too_long for element in elements] == [False, True, True, False]
    assert elements[1].text == data[elements[1].offset :][: len(elements[1].text)]
    assert 0 < len(elements[1].text) <= 100
    assert parse(elements[3].text) == {"id": 4}
    assert not any(element.too_long for element in read(data, max_bytes=len(long)))


def test_whole_numbers_keep_every_digit() -> None:
    digits = "39435100101575257789575821898628447731927250984"
    assert parse(f'{{"id": {digits}}}'.encode()) == {"id": int(digits)}
    with pytest.raises(ValueError, match="4300 digits"):
        parse(b"[" + b"9" * 5000 + b"]")


def test_one_key_twice() -> None:
    assert parse(b'{"a": 1, "b": 2, "a": 1}') == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="the key 'a' stands twice with different values"):
        parse(b'{"x": [{"a": 1, "a": 2}]}')


def test_deep_nesting_is_a_fault_of_its_element() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    elements = read(b'{"images": [' + deep + b', {"id": 2}]}')
    with pytest.raises(ValueError, match="nested too deep"):
        parse(elements[0].text)
    assert parse(elements[1].text) == {"id": 2}


def test_kept_text_keeps_digits_and_withholds_people() -> None:
    text = '{ "id" : 12345678901234567, "x": [1.10, -0.0, NaN,\n -Infinity], "NaN": " a  b\\" " }'
    kept = kept_text(text.encode())
    assert kept == ('{"id":12345678901234567,"x":[1.10,-0.0,"NaN","-Infinity"],"NaN":" a  b\\" "}')
    kept = kept_text(b'{"user": "Marie <marie.curie@example.org>, pierre@example.org"}')
    assert json.loads(kept) == {
        "user": "Marie <(e-mail address withheld)>, (e-mail address withheld)"
    }
    assert "@" not in kept_fragment(b'{"user": "marie@example.org')
    assert json.loads(kept_fragment(b"\xff{")) == {"unparsed": "\\xff{"}


@given(values)
def test_kept_text_says_the_same(value: Any) -> None:
    text = json.dumps({"value": value}, indent=2)
    if "@" not in text:
        assert json.loads(kept_text(text.encode())) == {"value": value}
