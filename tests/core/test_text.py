"""What is taken out of typed text, which addresses are taken, and how text is compared."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as some

from roost.core.forms import AddressField, LineField, LinesField, PhoneField
from roost.core.text import clean_email, initials, one_line, search_key, several_lines

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = some.text(
    some.one_of(
        some.characters(codec="utf-8"),
        some.sampled_from(BIDI + "\u200b\ufeff\u2028\u2029\x00\r\n\t\x85@.<>\"'İKß"),
    ),
    max_size=60,
)


def _refused(text: str) -> str:
    with pytest.raises(ValidationError) as error:
        clean_email(text)
    return " ".join(error.value.messages)


# One line, several lines


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Casey \t Nguyen ", "Casey Nguyen"),
        ("Casey\r\nBcc: all@example.com", "Casey Bcc: all@example.com"),
        ("Casey\u2028Nguyen\u0085x", "Casey Nguyen x"),
        ("Ca\u202esey\u2066", "Casey"),
        (BIDI.join("Casey"), "Casey"),
        ("a\x00b\x1bc\x7fd", "a b c d"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\ufeff\u200b", ""),
        ("<b>Casey</b> & 'co'", "<b>Casey</b> & 'co'"),
        ("👩‍👧 Robin", "👩‍👧 Robin"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_one_line_takes_out_what_cannot_be_seen(typed: str, kept: str) -> None:
    assert one_line(typed) == kept


@given(HOSTILE)
def test_one_line_is_one_line_of_seen_characters_and_stays_so(text: str) -> None:
    kept = one_line(text)
    assert not set(kept) & set(BIDI + "\x00\r\n\t\u2028\u2029\u200b\ufeff")
    assert all(unicodedata.category(c) != "Cc" for c in kept)
    assert kept == kept.strip()
    assert one_line(kept) == kept


@given(HOSTILE)
def test_several_lines_keep_their_breaks_and_nothing_else_unseen(text: str) -> None:
    kept = several_lines(text)
    assert not set(kept) & set(BIDI + "\x00\r\t\u2028\u2029\u200b\ufeff")
    assert [one_line(line) for line in kept.split("\n")] == kept.split("\n")


def test_several_lines_know_each_kind_of_break() -> None:
    assert several_lines(" 214 Harbord\r\nToronto\rON\nCanada \n\n") == (
        "214 Harbord\nToronto\nON\nCanada"
    )


# Addresses


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Casey@Client.Example", "casey@client.example"),
        ("  casey@client.example\u200b\n", "casey@client.example"),
        ("casey+maple@client.example", "casey+maple@client.example"),
        ("o'brien@client.example", "o'brien@client.example"),
        ("casey@müller.example", "casey@xn--mller-kva.example"),
        ("\u202ecasey@client.example", "casey@client.example"),
        # The Kelvin sign is a K to every reader, and becomes one.
        ("\u212aasey@client.example", "kasey@client.example"),
        # An ideographic full stop parts a domain as a dot does (RFC 3490, 3.1).
        ("casey@client\u3002ca.example", "casey@client.ca.example"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "casey",
        "@client.example",
        "casey@",
        "casey@localhost",
        "casey@client..example",
        "casey@-client.example",
        "casey@client.example.",
        "casey@.example",
        "c\u0430sey@client.example",  # a Cyrillic letter that looks like an a
        "casey@b\uff20client.example",  # a wide @ in the domain
        "casey\uff20client.example",
        "a@b@client.example",
        "casey nguyen@client.example",
        "casey@client.example, adam@maple.example",
        "casey@client.example\r\nBcc: adam@maple.example",
        "casey\x00@client.example",
        '"casey nguyen"@client.example',
        "<casey@client.example>",
        "casey@[127.0.0.1]",
        "a" * 65 + "@client.example",
        "casey@" + "a" * 64 + ".example",
        "casey@" + ".".join(["abcdefgh"] * 30),
        "a" * 100_000 + "@client.example",
        "é" * 200 + "@" + "é" * 100 + ".example",
    ],
)
def test_what_is_no_address_is_refused_in_words(typed: str) -> None:
    words = _refused(typed)
    assert words.endswith((".", "com."))
    assert len(words) < 120


@given(HOSTILE)
def test_no_text_breaks_the_cleaning_of_addresses(text: str) -> None:
    for typed in (text, f"{text}@client.example", f"casey@{text}.example"):
        try:
            kept = clean_email(typed)
        except ValidationError:
            continue
        assert kept.isascii()
        assert kept.count("@") == 1
        assert not set(kept) & set(" \r\n\x00<>,;")
        assert clean_email(kept) == kept


# Fields


def _cleaned(field: LineField | LinesField | AddressField | PhoneField, value: object) -> str:
    return str(field.clean(value))


def test_a_line_has_no_more_than_its_length_and_nul_is_no_trouble() -> None:
    assert _cleaned(LineField(max_length=5), "ab\x00c") == "abc"
    with pytest.raises(ValidationError, match="at most 5 characters"):
        LineField(max_length=5).clean("abcdef")
    with pytest.raises(ValidationError, match="Fill this in"):
        LineField().clean("\u202e \x00")
    assert _cleaned(LinesField(required=False), "a\x00\r\nb") == "a\nb"


def test_an_address_field_answers_over_long_text_in_words() -> None:
    with pytest.raises(ValidationError):
        AddressField().clean("a" * 10_000 + "@client.example")
    with pytest.raises(ValidationError, match="Fill this in"):
        AddressField().clean("\u200b")
    assert _cleaned(AddressField(required=False), None) == ""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(416) 555-0142", "+14165550142"),
        ("416 555 0142 ext 12", "+14165550142;ext=12"),
        ("+44 20 7946 0018", "+442079460018"),
        ("", ""),
    ],
)
def test_a_phone_number_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert _cleaned(PhoneField(required=False), typed) == kept


@pytest.mark.parametrize("typed", ["ask at the desk", "12", "+", "4165550142" * 3, "<script>"])
def test_what_is_no_phone_number_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValidationError, match="phone number"):
        PhoneField().clean(typed)


# Comparing


def test_a_search_key_has_no_case_and_no_accents() -> None:
    assert search_key("Adébáyò", "", "STRAẞE  Ø") == "adebayo strasse ø"


@given(some.text(max_size=40))
def test_a_search_key_of_a_key_is_itself(text: str) -> None:
    key = search_key(text)
    assert search_key(key) == key


def test_initials_are_of_the_first_and_last_words() -> None:
    assert initials("Oluwaseun Adébáyò-Thornbury") == "OA"
    assert [initials(name) for name in ("", "  ", "(she)", "x")] == ["", "", "", "X"]
