"""What a line can be: certain only where one line and one target are left, in any order."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from server.funds.matching import OpenLine, Reason, Target, automatic_matches, suggestions
from server.funds.rules import MatchKind

DAY = date(2026, 1, 10)


def a_line(name="line", amount=500_000, text="", day=DAY):
    return OpenLine(name, day, amount, text)


def a_target(name="target", amount=500_000, kind=MatchKind.DOOR_DONATION, day=DAY, names=(), marks=()):
    return Target(kind, name, amount, day, names, marks)


def test_an_amount_alone_is_suggested_and_never_decided():
    line, target = a_line(text="chuyen tien"), a_target(names=("Nguyễn Văn Ánh",))
    assert automatic_matches([line], [target]) == {}
    [found] = suggestions(line, [target], 1)
    assert (found.target_id, found.reasons) == ("target", (Reason.AMOUNT,))


def test_a_name_without_diacritics_speaks_for_its_donor():
    line, target = a_line(text="MBVCB.123.NGUYEN VAN ANH ung ho.CT tu"), a_target(names=("Nguyễn Văn Ánh",))
    assert automatic_matches([line], [target]) == {"line": target}
    assert suggestions(line, [target], 1)[0].reasons == (Reason.AMOUNT, Reason.NAME)


def test_a_part_of_a_word_is_no_name():
    assert automatic_matches([a_line(text="TRAN NGUYEN VAN ANHTUAN")], [a_target(names=("Văn Ánh",))]) == {}


def test_two_lines_of_one_donor_and_amount_wait_for_a_person():
    lines = [a_line("one", text="le thi hoa"), a_line("two", text="le thi hoa")]
    assert automatic_matches(lines, [a_target(names=("Lê Thị Hoa",))]) == {}


def test_two_reports_of_one_line_wait_for_a_person():
    targets = [
        a_target("door", names=("Lê Thị Hoa",)),
        a_target("office", kind=MatchKind.OFFICE_DONATION, names=("Lê Thị Hoa",)),
    ]
    assert automatic_matches([a_line(text="le thi hoa")], targets) == {}
    assert {each.target_id for each in suggestions(a_line(text="le thi hoa"), targets, 1)} == {
        "door",
        "office",
    }


def test_a_receipts_number_decides_between_two_of_one_name():
    lines = [a_line("one", text="le thi hoa BL 26-04807-00000012"), a_line("two", text="le thi hoa")]
    targets = [
        a_target("a", names=("Lê Thị Hoa",), marks=("26-04807-00000012",)),
        a_target("b", names=("Lê Thị Hoa",), marks=("26-04807-00000013",)),
    ]
    assert {line: each.id for line, each in automatic_matches(lines, targets).items()} == {"one": "a"}


def test_a_pledges_code_is_found_inside_what_a_bank_writes_around_it():
    target = a_target(marks=("TN12C3F9A0B12",))
    for text in ("TN12C3F9A0B12", "IBFT TN12C3F9A0B12FT2601", "tn12 c3f9a0b12", "MB.TN12C3F9-A0B12.x"):
        assert automatic_matches([a_line(text=text)], [target]) == {"line": target}, text


def test_amount_sign_and_days_bound_what_a_line_can_be():
    target = a_target(names=("Lê Thị Hoa",))
    text = "le thi hoa"
    for line in (
        a_line(amount=500_001, text=text),
        a_line(amount=-500_000, text=text),
        a_line(day=DAY + timedelta(days=11), text=text),
        a_line(day=DAY - timedelta(days=3), text=text),
    ):
        assert automatic_matches([line], [target]) == {}
        assert suggestions(line, [target], 1) == []


def test_an_approved_premium_of_the_same_amount_is_certain_alone():
    target = a_target(kind=MatchKind.PREMIUM, amount=-5_028_750)
    assert automatic_matches([a_line(amount=-5_028_750)], [target]) == {"line": target}
    both = [a_line("one", amount=-5_028_750), a_line("two", amount=-5_028_750)]
    assert automatic_matches(both, [target]) == {}


def test_what_no_row_says_is_suggested_by_its_words():
    def kinds(text, amount=500_000):
        return [each.kind for each in suggestions(a_line(text=text, amount=amount), [], 12)]

    assert kinds("Nộp tiền mặt tại quầy") == [MatchKind.DEPOSIT]
    assert kinds("Lãi tiền gửi tháng 1") == [MatchKind.NOTHING]
    assert kinds("ung ho TN12") == [MatchKind.OFFICE_DONATION]
    assert kinds("ung ho TN13") == []
    assert kinds("Thu phí quản lý", -11_000) == [MatchKind.NOTHING]


_WORDS = st.lists(
    st.sampled_from(["le thi hoa", "tran van ba", "tn12c3f9a0b12", "ref00001", "x"]), max_size=3
)
_LINES = st.lists(
    st.tuples(st.sampled_from([1_000, 2_000, -1_000]), st.integers(0, 12), _WORDS), min_size=1, max_size=12
)
_TARGETS = st.lists(
    st.tuples(
        st.sampled_from([1_000, 2_000, -1_000]),
        st.integers(0, 12),
        st.sampled_from([kind for kind in MatchKind if kind not in (MatchKind.DEPOSIT, MatchKind.NOTHING)]),
        st.sampled_from([(), ("Lê Thị Hoa",), ("Trần Văn Ba",)]),
        st.sampled_from([(), ("TN12C3F9A0B12",), ("ref-00001",)]),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(_LINES, _TARGETS, st.randoms(use_true_random=False))
def test_no_line_is_two_things_and_no_thing_two_lines_in_any_order(lines, targets, shuffle: random.Random):
    open_lines = [
        OpenLine(f"l{n}", DAY + timedelta(days=day), amount, " ".join(words))
        for n, (amount, day, words) in enumerate(lines)
    ]
    known = [
        Target(kind, f"t{n}", amount, DAY + timedelta(days=day), names, marks)
        for n, (amount, day, kind, names, marks) in enumerate(targets)
    ]
    found = automatic_matches(open_lines, known)
    assert len({each.key for each in found.values()}) == len(found)
    by_id = {line.id: line for line in open_lines}
    assert all(by_id[line].amount_vnd == target.amount_vnd for line, target in found.items())
    shuffle.shuffle(open_lines)
    shuffle.shuffle(known)
    assert automatic_matches(open_lines, known) == found
    # What was decided is among what a person would have been offered.
    for line_id, target in found.items():
        assert target.id in {each.target_id for each in suggestions(by_id[line_id], known, 12, most=12)}
