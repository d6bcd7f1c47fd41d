"""The pages of participants in a real browser, wide and narrow, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.test_pages_in_chromium import served, visitor  # noqa: F401 - fixtures
from tests.support.office_checks import count
from tests.support.registered_office import list_participants, publish_figures

pytestmark = pytest.mark.browser


def test_a_supervisor_looks_at_what_was_gained_and_lost(visitor):  # noqa: F811
    office = visitor.watched.office
    if not count(office, "participant"):
        visitor.visit("/participants", "participants-empty")
        visitor.visit("/outside", "outside-empty")
        list_participants(office)
    page = visitor.visit("/participants?scheme=voluntary", "participants")
    page.get_by_role("heading", name="Vì sao giảm").wait_for()
    page.get_by_label("Loại hình").select_option(label="BHYT hộ gia đình")
    page.get_by_role("button", name="Xem").click()
    page.get_by_text("chưa có mốc so sánh").wait_for()
    visitor.check("participants-without-baseline")
    visitor.visit("/participants?scheme=voluntary&lang=en", "participants-english")
    visitor.visit("/participants?scheme=voluntary&lang=vi", "participants")


@pytest.fixture(scope="module")
def published(served) -> None:  # noqa: F811
    """Let the year end before anybody logs in."""
    publish_figures(served[0].office)


def test_published_figures_stand_beside_ours(published, visitor):  # noqa: F811
    page = visitor.visit("/outside", "outside")
    page.get_by_role("heading", name="Tăng trưởng giữa hai kỳ").wait_for()
    visitor.visit("/outside?lang=en", "outside-english")
    visitor.visit("/outside?lang=vi", "outside")
