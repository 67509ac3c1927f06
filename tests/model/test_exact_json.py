"""JSON is read and written without a loss, also where orjson would change a number or refuse a text."""

import json
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import exact_json
from holdfast.model.exact_json import canonical, dumps, loads

LARGE = 100_000_000_000_000_000_001  # more than 64 bits hold


@pytest.mark.parametrize(
    "number", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, LARGE, -LARGE, 10**4_000]
)
def test_an_integer_of_any_size_is_the_same_after_reading_and_writing(number: int) -> None:
    body = b'{"wei":%s}' % str(number).encode()
    assert loads(body) == {"wei": number}
    assert isinstance(loads(body)["wei"], int)
    assert dumps(loads(body)) == body


def test_an_integer_of_more_digits_than_python_reads_is_refused_without_its_document() -> None:
    with pytest.raises(json.JSONDecodeError, match="too many digits") as caught:
        loads(b'{"secret": %s}' % (b"1" * 5_000))
    assert caught.value.doc == ""


@pytest.mark.parametrize("extra", ["", f',"n":{LARGE}'])
def test_keys_keep_their_order(extra: str) -> None:
    body = b'{"reasoning":1,"answer":2,"a":{"z":1,"b":[{"y":1,"x":2}]}%s}' % extra.encode()
    assert dumps(loads(body)) == body


@pytest.mark.parametrize("extra", ["", f',"n":{LARGE}'])
def test_of_two_equal_keys_the_last_counts(extra: str) -> None:
    assert loads(b'{"a":1,"a":2%s}' % extra.encode())["a"] == 2


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_of_json_is_read_from_an_answer_alone(word: str) -> None:
    body = f'{{"logprob": {word}, "text": null}}'.encode()
    with pytest.raises(json.JSONDecodeError):
        loads(body)
    read = loads(body, lenient=True)
    assert read["logprob"] != read["logprob"] or abs(read["logprob"]) == float("inf")
    assert b"null" in orjson.dumps(read["logprob"])  # the loss that dumps does not have
    assert repr(loads(dumps(read), lenient=True)) == repr(read)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"a\udc00b"', "a\ufffdb"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\\\ud800"', "\\\ufffd"),
        (rb'"\\\\ud800"', r"\\ud800"),
        (b'"\xed\xa0\x80 as text"'.decode(errors="surrogatepass"), None),
    ],
)
def test_half_a_surrogate_pair_is_read_as_the_replacement_character(written: bytes | str, read: str | None) -> None:
    if read is None:
        with pytest.raises(json.JSONDecodeError, match="UTF-8"):
            loads(written)
    else:
        assert loads(written) == read
        assert loads(b"[%s,%d]" % (written, LARGE))[0] == read


@pytest.mark.parametrize("beside", [1, LARGE])
def test_half_a_surrogate_pair_is_not_written(beside: int) -> None:
    with pytest.raises(TypeError, match="surrogate"):
        dumps({"a": "\ud800", "n": beside})


@pytest.mark.parametrize("filler", [b"", b"%d," % LARGE])
def test_what_is_nested_too_deeply_is_broken_json_and_no_crash(filler: bytes) -> None:
    deep = b"[" * 200_000
    with pytest.raises(json.JSONDecodeError):
        loads(b"[" + filler + deep + b"]" * 200_001)


BROKEN = (b"", b"{", b"{'a': 1}", b"[1,]", b"\xff", b'"\n"', b"nul", b"\xef\xbb\xbf{}", b"{}{}")


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    for lenient in (False, True):
        with pytest.raises(json.JSONDecodeError) as caught:
            loads(body, lenient=lenient)
        assert caught.value.doc == ""


def test_canonical_bytes_are_the_same_for_the_same_value_in_another_order() -> None:
    for large in (1, LARGE):
        assert canonical({"b": 1, "a": {"d": large, "c": 2}}) == canonical({"a": {"c": 2, "d": large}, "b": 1})


@pytest.mark.parametrize("value", [object(), {1: "a"}, {"a": {1, 2}}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_whatever_is_written_is_read_again(value: object) -> None:
    assert loads(dumps(value)) == value
    assert loads(canonical(value)) == value


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_orjson_reads_is_written_again_however_deep() -> None:
    assert loads(dumps(nested(300))) == nested(300)
    with pytest.raises(TypeError, match="nested too deeply"):
        dumps(nested(50_000))


def test_the_words_of_orjson_by_which_its_limits_are_known() -> None:
    for value, words in zip((LARGE, nested(300)), exact_json.BEYOND_ORJSON, strict=True):
        with pytest.raises(TypeError, match=words):
            orjson.dumps(value)


def test_a_large_text_costs_its_own_size_and_no_tree_besides() -> None:
    body = b'{"text":"%s"}' % (b"a" * 2**20)
    tracemalloc.start()
    loads(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * len(body)
