"""Documents read piece by piece say the same as those that are read at once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.io.json_lists import Entries, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def whole(document):
    """Return a document with all its lists made."""
    if not isinstance(document, dict):
        return document
    return {k: list(v) if isinstance(v, Entries) else v for k, v in document.items()}


def outcome(read, text):
    """Return what a text says, or where it breaks off."""
    try:
        # As text, in which NaN equals itself.
        return json.dumps(whole(read(text)))
    except json.JSONDecodeError as error:
        return error.pos, error.msg


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=5), st.sampled_from([None, 1]))
def test_it_reads_what_the_library_reads(document, indent):
    text = json.dumps(document, indent=indent)
    assert outcome(parse, text) == outcome(json.loads, text)


@given(
    st.dictionaries(st.sampled_from("ab"), VALUES, max_size=3),
    st.integers(0, 200),
    st.sampled_from(["", ",", "]", "}", "[", "{", '"', ":", " ", "1", "nul", "\\"]),
)
def test_it_breaks_off_where_the_library_does(document, at, put):
    text = json.dumps(document, indent=1)
    for broken in (text[:at] + put + text[at:], text[:at] + put + text[at + 1 :], text[:at]):
        ours, theirs = outcome(parse, broken), outcome(json.loads, broken)
        if isinstance(theirs, tuple):
            # Where exactly differs a little between the library's own two readers too.
            assert isinstance(ours, tuple), broken
        else:
            assert ours == theirs


@pytest.mark.parametrize(
    "text",
    ["", " ", "[1, 2]", '"a"', "{}", ' {"a": []} ', '{"a": [ 1 , [2] ]}', '{"a": 1, "a": [3]}'],
)
def test_small_documents(text):
    assert outcome(parse, text) == outcome(json.loads, text)


def test_a_list_can_be_gone_through_again_and_is_not_kept():
    document = parse('{"annotations": [{"id": 1}, {"id": 2}], "info": {"images": [1]}}')
    assert isinstance(document, dict)
    entries = document["annotations"]
    assert isinstance(entries, Entries)
    assert len(entries) == 2
    first, again = list(entries), list(entries)
    assert first == again == [{"id": 1}, {"id": 2}]
    assert first[0] is not again[0]
    assert document["info"] == {"images": [1]}


def test_the_place_of_a_fault_is_named():
    with pytest.raises(json.JSONDecodeError, match="line 3 column 3") as caught:
        parse('{"annotations": [\n  {"id": 1}\n  {"id": 2}]}')
    assert caught.value.msg == "Expecting ',' delimiter"
