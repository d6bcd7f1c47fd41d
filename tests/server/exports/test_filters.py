"""A file has the rows that its page shows: the page's filters and tabs are the file's."""

from __future__ import annotations

from tests.server.exports.test_exports import (  # noqa: F401 - fixtures
    client,
    comma_separated,
    watched,
    xlsx,
)
from tests.support.desk import a_supervisor, decide
from tests.support.office_checks import rows
from tests.support.raw_tablet import a_household, a_tablet
from tests.support.small_office import LAUNCH_DAY
from tests.support.staff import form_token, log_in
from tests.support.watched_office import DAY


def test_quarantine_is_filtered_as_on_the_page(client, watched):  # noqa: F811
    office = watched.office
    tablet = a_tablet(office, "binh")
    tablet.append("household_registered", a_household("99998@2004-01-01"))
    tablet.append("household_registered", {"area": "28249@2004-01-01"})
    tablet.sync()
    everything = comma_separated(client, "/exports/quarantine.csv")[1:]
    binh = office.agents["binh"]
    own = comma_separated(client, f"/exports/quarantine.csv?agent={binh}")[1:]
    [(code,)] = rows(
        office, "SELECT code FROM outcome WHERE worker_id = :binh AND code <> 'area_unknown'", binh=binh
    )
    missing = comma_separated(client, f"/exports/quarantine.csv?agent={binh}&code={code}")[1:]
    assert (len(own), len(missing)) == (2, 1)
    assert len(everything) > len(own)
    assert {row[3] for row in own} == {"Trần Văn Bình"}
    assert comma_separated(client, "/exports/quarantine.csv?older=7")[1:] == []
    assert comma_separated(client, "/exports/quarantine.csv?tab=returned")[1:] == []


def test_the_pages_link_keeps_its_filters(client, watched):  # noqa: F811
    an = watched.office.agents["an"]
    page = client.get(f"/quarantine?agent={an}").get_data(as_text=True)
    link = page.partition('href="/exports/quarantine.csv')[2].partition('"')[0]
    assert link == f"?agent={an}"


def test_credits_are_filtered_as_on_the_page(client, watched):  # noqa: F811
    binh = watched.office.agents["binh"]
    everything = comma_separated(client, f"/exports/agents/{binh}/credits.csv")[1:]
    counted = comma_separated(client, f"/exports/agents/{binh}/credits.csv?state=counted")[1:]
    assert {row[4] for row in counted} == {"Đã tính"}
    assert 0 < len(counted) < len(everything)


def test_what_others_recorded_for_an_officer_is_in_the_officers_file(client, watched):  # noqa: F811
    """The page lists it, since it counts for them."""
    officer = watched.office.officers[0]
    found = comma_separated(client, f"/exports/agents/{officer}/credits.csv")[1:]
    assert len(found) == 4
    assert {row[3] for row in found} == {"Người vận động"}


def test_merged_records_are_a_file_too_and_audited(client, watched):  # noqa: F811
    office = watched.office
    pair = rows(office, "SELECT id FROM person WHERE area_key = '28249@2004-01-01' ORDER BY id LIMIT 2")
    decide(
        office,
        a_supervisor(office),
        "records_merged",
        **{"from": pair[1][0], "into": pair[0][0], "record_type": "person"},
    )
    merged = xlsx(client, "/exports/duplicates.xlsx?tab=merged")
    assert merged[0] == ("Hồ sơ", "Loại", "Địa bàn", "Đã gộp vào")
    assert len(merged) == 2
    assert merged[1][1] == "Người"
    assert xlsx(client, "/exports/duplicates.xlsx")[0][3] == "Hồ sơ ghi sau"
    assert (
        "tab=merged"
        in client.get("/duplicates?tab=merged")
        .get_data(as_text=True)
        .partition("/exports/duplicates")[2][:80]
    )
    audited = rows(office, "SELECT subject FROM audit_row WHERE action = 'table_exported'")
    assert ("duplicates_merged",) in audited


def test_the_lines_of_a_statement_are_the_pages_lines(client, watched):  # noqa: F811
    office = watched.office
    office.clock.advance(days=2)
    log_in(client, "quanly")
    token = form_token(client, f"/acceptance?campaign={LAUNCH_DAY}")
    fields = {"campaign": str(LAUNCH_DAY), "to_day": DAY.isoformat(), "reason": "Chưa đủ máy nhưng phải trả"}
    accepted = client.post("/acceptance", data={**fields, "csrf_token": token})
    number = int(accepted.headers["Location"].rpartition("/")[2])
    header, *lines = xlsx(client, f"/exports/statements/{number}.xlsx")
    assert header[3:6] == ("Trong kỳ", "Kỳ trước chuyển sang", "Chi trả")
    stored = rows(
        office,
        "SELECT counted, carried, counted + carried FROM statement_line WHERE statement = :number",
        number=number,
    )
    assert sorted(line[3:6] for line in lines) == sorted(stored) != []
    an = next(line for line in lines if line[0] == "Nguyễn Thị An" and line[2] == "Tham gia voluntary")
    assert an[3] == an[5] > 0
    text = comma_separated(client, f"/exports/statements/{number}.csv")
    assert [row[3:6] for row in text[1:]] == [[str(cell) for cell in line[3:6]] for line in lines]
    assert [row[0] for row in xlsx(client, f"/exports/statements.xlsx?campaign={LAUNCH_DAY}")[1:]] == [number]
