from __future__ import annotations

from datetime import date

import pytest

from server.campaigns.actions import CampaignRuleError, announce_campaign
from server.campaigns.queries import all_campaigns, area_keys_of, campaigns_by_number
from tests.support.staff import DISTRICT, a_province, changed

DAY = date(2020, 5, 23)


def announce(runtime, *arguments, **keywords):
    return changed(runtime, lambda change: announce_campaign(change, *arguments, **keywords))


def test_a_campaign_is_found_by_its_number(any_runtime):
    a_province(any_runtime)
    announce(any_runtime, 1, "Ra quân đợt 1", "launch_day", DAY, DAY, area_keys=[DISTRICT])
    announce(any_runtime, 2, "Mỗi người 3", "drive", date(2020, 1, 1), date(2020, 12, 31))
    with any_runtime.transactions.reading() as connection:
        found = campaigns_by_number(connection, [1, 2, 3])
        assert sorted(found) == [1, 2]
        assert found[1].kind == "launch_day"
        assert [campaign.number for campaign in all_campaigns(connection)] == [1, 2]
        assert area_keys_of(connection, 1) == [DISTRICT]


@pytest.mark.parametrize(
    "arguments",
    [
        (1, "Số đã có", "drive", DAY, DAY),
        (0, "Số không", "drive", DAY, DAY),
        (2, "Loại lạ", "party", DAY, DAY),
        (2, "Hết trước khi có", "drive", DAY, date(2020, 5, 22)),
        (2, "Ra quân hai ngày", "launch_day", DAY, date(2020, 5, 24)),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_refused(sqlite_runtime, arguments):
    announce(sqlite_runtime, 1, "Đợt 1", "drive", DAY, DAY)
    with pytest.raises(CampaignRuleError):
        announce(sqlite_runtime, *arguments)


def test_a_campaign_over_an_unknown_area_is_refused(sqlite_runtime):
    with pytest.raises(CampaignRuleError):
        announce(sqlite_runtime, 1, "Đợt 1", "drive", DAY, DAY, area_keys=["X@2020-01-01"])
