"""A participant register and published figures for an office of tests: what the pages of participants show.

Four people were insured at the end of 2019. One of them is insured still, one renewed at An's door, one
moved away, and one lapsed without a word; An met another who is new.
"""

from __future__ import annotations

from datetime import date

from server.register.actions import seed_windows
from tests.server.imports.builders import a_participant, a_stated_baseline, an_outside_figure, imported
from tests.support.desk import a_supervisor
from tests.support.small_office import COMMUNES, DRIVE, SmallOffice

END = date(2020, 12, 31)
# As the accounts of Tiền Giang's year 2020 have them; 665 of 612 are no 107 %.
_OF_2020 = {"day": END, "source": "Báo cáo năm 2020", "source_day": date(2021, 1, 15)}
PUBLISHED = [
    an_outside_figure("voluntary_participants", 7_262, denominator_name=None, denominator_day=None),
    an_outside_figure("voluntary_participants", 18_816, **_OF_2020, denominator_name="Kế hoạch ban đầu")
    | {"quoted_percent": "113", "denominator_day": END},
    an_outside_figure("voluntary_participants", 18_816, **_OF_2020, denominator_name="Kế hoạch bổ sung")
    | {"quoted_percent": "107", "denominator_day": END},
    an_outside_figure("voluntary_increase", 11_554, **_OF_2020, denominator=7_262, quoted_percent="159")
    | {"denominator_name": "Người tham gia BHXH tự nguyện"},
    an_outside_figure("insurance_coverage", 281_909, **_OF_2020, quoted_percent="29,9")
    | {"denominator_name": "Lực lượng lao động", "denominator_day": END},
    an_outside_figure("e_transaction_employers", 3_284, **_OF_2020, denominator=3_691)
    | {"denominator_name": "Đơn vị sử dụng lao động", "denominator_day": END},
    an_outside_figure(
        "satisfaction", None, **_OF_2020, quoted_percent="98", denominator_name=None, denominator_day=None
    ),
    an_outside_figure("other", 665, **_OF_2020, denominator=612, quoted_percent="107")
    | {"denominator_name": "3 người mỗi cán bộ", "denominator_day": END},
]


def list_participants(office: SmallOffice) -> None:
    """Import a register with its baseline, and let An enrol two people who pay."""
    author, tablet = a_supervisor(office), office.tablet("an")
    with tablet.recording() as actions:
        for number in (2, 8):
            person = actions.register_person(
                full_name="Người", area=COMMUNES[0], insurance_number=f"79{number:08}"
            )
            enrolment = actions.record_enrolment(
                person=person,
                scheme="voluntary",
                status="new",
                from_month="2020-05",
                months=3,
                amount_due_vnd=891_000,
                campaign=DRIVE,
            )
            actions.collect_payment([(enrolment, 891_000)])
    tablet.sync()
    office.change(seed_windows)
    lapsed = {"valid_to": date(2020, 3, 31)}
    lines = [
        a_participant(1),
        a_participant(2, **lapsed),
        a_participant(3, **lapsed),
        a_participant(4, **lapsed, area_code="28252"),
    ]
    imported(office.runtime, author, "participants", *lines)
    moved = a_participant(3, **lapsed, as_of=date(2020, 5, 1), lapse_reason="moved")
    imported(office.runtime, author, "participants", moved)
    imported(office.runtime, author, "baselines", a_stated_baseline(persons=4))


def publish_figures(office: SmallOffice) -> None:
    """Let the year end, and import what was published of it."""
    office.clock.advance(days=260)
    imported(office.runtime, a_supervisor(office), "outside_figures", *PUBLISHED)
