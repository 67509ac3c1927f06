"""Nothing that a provider said is kept with one of our keys in it, however it repeats the key."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.call_result import CallResult, ProviderResponse
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.wire.redactor import Redactor

KEY = "sk-proj-Zk3/9dPq+Lm2XwR7tYb4="
TOKEN = "".join(
    base64.b64encode(bytes([number] * 3)).decode() for number in range(200)
)  # as long as a token of an issuer


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for number, secret in enumerate(secrets or (KEY,)):
        made.learn(f"p/{number}", secret)
    return made


REPEATED = {
    "plain": KEY,
    "cut": KEY[:20],
    "its end": KEY[-20:],
    "split": " ".join(KEY[start : start + 5] for start in range(0, len(KEY), 5)),
    "in two literals": f"'{KEY[:14]}' + '{KEY[14:]}'",
    "for a URL": quote(KEY, safe=""),
    "in base64": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "in another base64": base64.b64encode(f"key:{KEY}\n".encode()).decode(),
    "in JSON": KEY.replace("/", "\\/"),
}


@pytest.mark.parametrize("how", REPEATED)
def test_a_key_is_hidden_however_it_is_repeated(how: str) -> None:
    text = redactor().text(f"wrong key {REPEATED[how]} given")
    assert text.startswith("wrong key ")
    assert text.endswith(" given")
    assert "…" in text
    letters = "".join(letter for letter in text if letter.isalnum())
    assert not any(KEY[start : start + 8] in letters for start in range(len(KEY) - 8))


def test_a_long_token_is_hidden_whole_and_in_parts() -> None:
    hides = redactor(TOKEN)
    assert hides.text(f"a {TOKEN} b") == "a … b"
    part = hides.text(f"it said {TOKEN[101:163]} and no more")
    assert not any(TOKEN[start : start + 8] in part for start in range(len(TOKEN)))


def test_words_are_left_as_they_are() -> None:
    assert redactor().text("a project key is wrong: see the docs") == "a project key is wrong: see the docs"


def test_a_short_word_is_no_secret() -> None:
    assert redactor("key").text("the key is wrong") == "the key is wrong"


def test_keys_of_every_credential_are_hidden_the_last_three_of_each() -> None:
    hides = redactor("first-secret-of-one", "first-secret-of-two")
    for number in range(3):
        hides.learn("p/0", f"later-secret-{number}-of-one")
    assert hides.text("first-secret-of-two") == "…"
    assert hides.text("later-secret-2-of-one") == "…"
    assert hides.text("first-secret-of-one") != "…"


def test_every_field_of_a_fault_is_looked_through() -> None:
    fault = Fault(FaultKind.AUTH, f"401: {KEY}", status=401, code=KEY, provider_request_id=f"req-{KEY}")
    response = ProviderResponse(401, f'{{"error": "{KEY[:22]}"}}'.encode(), KEY)
    assert KEY[4:16] not in repr(redactor().result(CallResult(fault, response=response)))
    safe = redactor().result(CallResult(fault, response=response)).response
    assert safe is not None
    assert KEY[8:20].encode() not in safe.body


def test_a_reply_says_nothing_of_a_key_and_is_kept_byte_for_byte_otherwise() -> None:
    reply = Reply(text=f"I am {KEY}", finish=Finish.STOP, usage=Usage(), model=f"m-{KEY}", provider_request_id=KEY)
    body = f'{{"text": "I am {KEY}"}}'.encode()
    safe = redactor().result(CallResult(reply, response=ProviderResponse(200, body, KEY)))
    assert KEY not in repr(safe)
    assert safe.response is not None
    assert safe.response.body == '{"text": "I am …"}'.encode()
    whole = ProviderResponse(200, b'{"text":  "\\u00e9 sk-proj-Zk"}', "req_1")
    kept = redactor().result(CallResult(reply.model_copy(update={"text": "é"}), response=whole)).response
    assert kept == whole


@given(
    before=st.text(max_size=40), after=st.text(max_size=40), secret=st.text(st.characters(codec="ascii"), min_size=1)
)
def test_whatever_is_said_nothing_breaks_and_no_secret_stays(before: str, after: str, secret: str) -> None:
    hides = redactor(secret)
    text = hides.text(before + secret + after)
    if sum(letter.isalnum() for letter in secret) >= 8 and secret not in before + "…" + after:
        assert secret not in text
    assert hides.text(before) is not None
