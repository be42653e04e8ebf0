"""A secret is masked in every dress that an answer may repeat it in."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_contactcenter.transport import policy, redaction
from airflow_provider_contactcenter.transport.redaction import masked
from airflow_provider_contactcenter.vendors.protocol.connection import Settings

Dress = Callable[[str], str]


#: how a secret may stand in an answer; each is the inverse of what a reader of that answer does
DRESSES: dict[str, Dress] = {
    "plain": str,
    "html": html.escape,
    "html by decimals": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "html by hexadecimals": lambda text: "".join(f"&#x{ord(each):X};" for each in text),
    "json": lambda text: json.dumps(text)[1:-1],
    "json in utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json by escapes": lambda text: "".join(
        f"\\u{text_unit:04X}"
        for each in text
        for text_unit in memoryview(each.encode("utf-16-le", "surrogatepass")).cast("H")
    ),
    "repr": lambda text: repr(text)[1:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent of little": lambda text: quote(text, safe="/+:=&"),
    "form": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html of json": lambda text: html.escape(json.dumps(text)[1:-1]),
    "json of html": lambda text: json.dumps(html.escape(text))[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
#: what breaks readers, and letters that no mask and no text around it holds
SECRETS = st.text(st.sampled_from("ZQXJ&<>\"'/\\+%:=?# é€😀\n0129afu;"), min_size=4, max_size=40).filter(
    lambda text: len(text.strip()) >= 4 and "***" not in text
)


@pytest.mark.parametrize("name", DRESSES)
@given(
    secret=SECRETS,
    before=st.sampled_from(["", "it is ", '{"a": "']),
    after=st.sampled_from(["", " no", '"}']),
)
@example(secret="sentinel/Se+cret & %2F\\u0041 é", before="", after="")
def test_no_dress_of_a_secret_survives(name: str, secret: str, before: str, after: str) -> None:
    dressed = DRESSES[name](secret)
    shown = masked(f"{before}{dressed}{after}", [secret])
    assert shown.replace("=", "").replace("%3D", "") == f"{before}***{after}", "but for padding"


@given(text=TEXT, secret=SECRETS)
def test_what_holds_no_secret_stays_as_it_is(text: str, secret: str) -> None:
    text = "".join(each for each in text if each.isalpha() and each not in secret)
    assert masked(text, [secret]) == text


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_secrets_that_share_a_beginning_neither_leaves_a_rest(order: int) -> None:
    secrets = ["sentinel", "sentinel-and-more"][::order]
    assert masked("sentinel-and-more, sentinel", secrets) == "***, ***"


def test_a_secret_that_was_cut_off_is_masked_as_far_as_it_goes() -> None:
    secret = "eyJhbGciOiJSUzI1NiJ9.sentinel-payload.sentinel-signature"
    for length in range(12, len(secret)):
        assert masked(f'it starts with "{secret[:length]}"', [secret]) == 'it starts with "***"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.b is wrong, ab is not", "a.b is wrong, *** is not"),
        ("about abbeys", "about abbeys"),
        ("ab", "***"),
    ],
)
def test_a_short_secret_is_masked_where_it_is_a_whole_word(text: str, shown: str) -> None:
    assert masked(text, ["ab"]) == shown


def test_an_empty_secret_masks_nothing() -> None:
    assert masked("all of it stays", ["", " "]) == "all of it stays"


def test_what_a_basic_header_makes_of_user_and_password_is_a_secret_of_the_connection() -> None:
    settings = Settings(
        vendor="v",
        conn_id="c",
        base_url="https://h",
        login="user>>>",
        password="pass???",
        proxies={"https": "http://proxy-user:p%2Fsentinel@proxy:3128"},
    )
    for pair in (b"user>>>:pass???", b"proxy-user:p/sentinel"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            header = encode(pair).decode()
            assert policy.redact(f"Basic {header} no", settings.secrets).replace("=", "") == "Basic *** no"
    assert policy.redact("user>>> at p/sentinel, p%2fsentinel", settings.secrets) == "user>>> at ***, ***"


def test_a_long_token_is_hidden_without_reading_the_text_ever_again() -> None:
    token = "".join(chr(65 + at * 7 % 26) for at in range(4000))
    text = html.escape(json.dumps({"message": f'"{quote(token)}" is <wrong> &amp; ' * 2}))[:4000]
    assert token[:20] not in masked(text, [token, "client-secret", "another"])
    # As it stands, as each of four readings has it, and as each has each of those: however long it is.
    assert len(list(redaction._views(text))) <= 1 + 4 + 4 * 4
