"""Every code has a text for people, in both languages."""

from __future__ import annotations

from schemas.messages import MESSAGES, message
from sync.codes import EntryCode, Flag, RateCode, RequestCode


def test_every_code_has_a_text_in_both_languages():
    codes = {str(code) for codes in (RequestCode, EntryCode, Flag, RateCode) for code in codes}
    assert set(MESSAGES) == codes
    for code, (vietnamese, english) in MESSAGES.items():
        assert vietnamese.strip(), code
        assert english.strip(), code
        assert vietnamese != english, code


def test_a_code_of_a_newer_server_stands_for_itself():
    """[X3] A client that does not know a code shows it as it is."""
    assert message("from_the_future") == "from_the_future"
    assert message("forbidden", "en") != message("forbidden")
