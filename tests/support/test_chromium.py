"""The browser that tests drive is the system's Chromium, and it starts."""

from __future__ import annotations

import pytest


@pytest.mark.browser
def test_chromium_shows_a_page(page):
    page.set_content("<h1>Từng Nhà</h1>")
    assert page.inner_text("h1") == "Từng Nhà"
