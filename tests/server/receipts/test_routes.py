"""The public page says what is true of a receipt, to anyone, without a script."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from flask_smorest import Api
from PIL import Image

from schemas.receipt_token import DIGITS_MOST, parse_receipt, receipt_number
from schemas.receipt_view import STANDINGS, ReceiptShown
from schemas.signatures import PrivateKey
from server.audit.changes import Actor, Change, run_change
from server.devices.models import Installation
from server.errors import install_error_handlers
from server.office.models import Organisation, Worker
from server.people.models import Person
from server.receipts.routes import api, pages
from server.receipts.rules import Standing
from server.receipts.wording import amount_text
from server.runtime import Runtime, install_runtime
from tests.server.receipts.a_signing_tablet import WORKER, Desk, SigningTablet, a_payment

PAYER = "00000000-0000-7000-8000-00000000b001"
OFFICE = "BD01@2004-01-01"


def seed(runtime: Runtime, tablet: SigningTablet, **changes: Any) -> None:
    """Put the tablet's installation, its worker, the worker's organisation and a payer in the office."""

    def work(change: Change) -> None:
        organisation = {
            "key": OFFICE,
            "code": "BD01",
            "valid_from": date(2004, 1, 1),
            "valid_to": None,
            "kind": "post_office",
            "name": "Bưu điện huyện Cái Bè",
            "name_key": "buu dien huyen cai be",
            "parent_key": None,
            "path": f"/{OFFICE}/",
        }
        change.insert(Organisation.__table__, **organisation)
        worker = {"name": "Nguyễn Thị Thu", "name_key": "nguyen thi thu", "registered_ms": 1}
        change.insert(Worker.__table__, id=WORKER, organisation_key=OFFICE, **worker)
        change.insert(Person.__table__, **_a_person())
        change.insert(Installation.__table__, **(_an_installation(tablet) | changes))
        change.audit("test", "seed")

    run_change(runtime.transactions, Actor("account:test"), 1, work)


def _a_person() -> dict[str, Any]:
    blank = dict.fromkeys(column.name for column in Person.__table__.columns if column.nullable)
    return blank | {
        "id": PAYER,
        "version": 1,
        "last_entry": PAYER,
        "area_key": "28249@2004-01-01",
        "full_name": "Trần Văn Bình",
        "full_name_key": "tran van binh",
    }


def _an_installation(tablet: SigningTablet) -> dict[str, Any]:
    blank = dict.fromkeys(column.name for column in Installation.__table__.columns if column.nullable)
    return blank | {
        "id": tablet.installation_id,
        "number": tablet.number,
        "worker_id": WORKER,
        "public_key": tablet.key.public.spki,
        "kid": tablet.key.kid,
        "certificate_text": tablet.certificate,
        "certificate_kid": "0" * 8,
        "certificate_signature": "x",
        "state": "active",
        "enrolled_ms": 1,
        "acked_seq": 0,
        "head_digest": "0" * 64,
        "journal_head_seq": 0,
        "journal_head_digest": "0" * 64,
    }


@pytest.fixture
def tablet() -> SigningTablet:
    return SigningTablet()


@pytest.fixture
def desk(any_runtime: Runtime, tablet: SigningTablet) -> Desk:
    seed(any_runtime, tablet)
    return Desk(any_runtime, tablet.device_key)


@pytest.fixture
def client(any_runtime: Runtime) -> Iterator[FlaskClient]:
    """The receipts' routes alone: they need no session and no other feature's page."""
    app = Flask("server")
    app.config.update(API_TITLE="t", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    install_runtime(app, any_runtime)
    install_error_handlers(app)
    Api(app).register_blueprint(api)
    app.register_blueprint(pages)
    app.jinja_env.globals["_"] = str
    return app.test_client()


def page(client: FlaskClient, token: str, status: int = 200) -> str:
    response = client.get(f"/r/{token}")
    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in response.headers
    text = response.get_data(as_text=True)
    assert "<script" not in text
    assert "style=" not in text
    return text


def standing(client: FlaskClient, token: str) -> dict[str, Any]:
    response = client.get(f"/api/v1/receipts/{token}")
    assert response.status_code == 200
    body: dict[str, Any] = response.get_json()
    assert not ReceiptShown().validate(body)
    return body


def test_a_reconciled_receipt_shows_amount_number_date_office_and_initials(
    client: FlaskClient, desk: Desk, tablet: SigningTablet
) -> None:
    """[T13] No log-in, no script, no cookie, `no-store`; the payer's initials, never the name."""
    payment = a_payment(1_234_567)
    desk.collect(payment, PAYER)
    body = tablet.receipt(payment)
    desk.judge(body)
    text = page(client, body["token"])
    assert "Biên lai hợp lệ" in text
    assert "Valid receipt" in text
    assert "1.234.567\N{NO-BREAK SPACE}đ" in text
    assert "20-04807-00000001" in text
    assert "23/05/2020 10:00" in text
    assert "BHXH tự nguyện" in text
    assert "Bưu điện huyện Cái Bè" in text
    assert "T.V.B" in text
    for secret in ("Bình", "Thu</", PAYER, WORKER, payment.entry_id):
        assert secret not in text
    shown = standing(client, body["token"])
    assert shown["standing"] == "reconciled"
    assert shown["content"]["amount_vnd"] == 1_234_567
    assert "Bình" not in shown["payer_initials"]


@pytest.mark.usefixtures("desk")
def test_a_receipt_whose_tablet_has_not_synced_is_not_reconciled_yet(
    client: FlaskClient, tablet: SigningTablet
) -> None:
    token = tablet.receipt(a_payment())["token"]
    text = page(client, token)
    assert "Chữ ký hợp lệ – chưa đối soát" in text
    assert "330.000\N{NO-BREAK SPACE}đ" in text
    assert standing(client, token)["standing"] == "unknown"


def test_a_pending_and_a_quarantined_receipt_say_so(
    client: FlaskClient, desk: Desk, tablet: SigningTablet
) -> None:
    pending, wrong = a_payment(), a_payment()
    desk.collect(pending, settle=False)
    desk.collect(wrong)
    first, second = tablet.receipt(pending), tablet.receipt(wrong, amount_vnd=1)
    desk.judge(first)
    desk.judge(second)
    assert "đang đối soát" in page(client, first["token"])
    assert "Văn phòng đang kiểm tra" in page(client, second["token"])


def test_a_voided_receipt_and_its_void_name_each_other(
    client: FlaskClient, desk: Desk, tablet: SigningTablet
) -> None:
    payment = a_payment()
    desk.collect(payment)
    receipt = tablet.receipt(payment)
    desk.judge(receipt)
    desk.void(payment)
    void = tablet.void(payment, receipt)
    desk.judge(void)
    voided = page(client, receipt["token"])
    assert "Biên lai đã huỷ" in voided
    assert "20-04807-00000002" in voided
    cancelling = page(client, void["token"])
    assert "Huỷ biên lai số" in cancelling
    assert "20-04807-00000001" in cancelling
    assert standing(client, receipt["token"])["related_number"] == "20-04807-00000002"


def test_another_content_under_a_known_number_is_under_review(
    client: FlaskClient, desk: Desk, tablet: SigningTablet
) -> None:
    payment = a_payment()
    desk.collect(payment)
    desk.judge(tablet.receipt(payment))
    assert "Văn phòng đang kiểm tra" in page(client, SigningTablet().receipt(a_payment(5))["token"])


@pytest.mark.usefixtures("desk")
def test_an_altered_receipt_is_invalid_and_shows_no_figure(
    client: FlaskClient, tablet: SigningTablet
) -> None:
    token = str(int(tablet.receipt(a_payment())["token"]) ^ 1)
    text = page(client, token)
    assert "Biên lai không hợp lệ" in text
    assert "330.000" not in text
    shown = standing(client, token)
    assert (shown["standing"], shown["content"], shown["number"]) == ("signature_invalid", None, None)


@pytest.mark.usefixtures("desk")
def test_a_receipt_of_an_unknown_key_is_not_this_offices(client: FlaskClient) -> None:
    stranger = SigningTablet(PrivateKey.generate())
    text = page(client, stranger.receipt(a_payment())["token"])
    assert "Không do văn phòng này cấp" in text
    assert "330.000" not in text


def test_a_revoked_keys_receipts_after_the_cut_off_need_the_office(
    client: FlaskClient, any_runtime: Runtime, tablet: SigningTablet
) -> None:
    seed(any_runtime, tablet, state="revoked", last_valid_counter=1)
    first, second = tablet.receipt(a_payment()), tablet.receipt(a_payment())
    assert "chưa đối soát" in page(client, first["token"])
    assert "Cần văn phòng xác nhận" in page(client, second["token"])


@pytest.mark.parametrize("token", ["0", "123", "12a", "1" * DIGITS_MOST, "1" * (DIGITS_MOST + 1), "9" * 5000])
def test_what_is_no_receipt_is_said_to_be_none(client: FlaskClient, token: str) -> None:
    text = page(client, token, status=404)
    assert "Không phải mã biên lai" in text
    assert client.get(f"/r/{token}.png").status_code == 404
    response = client.get(f"/api/v1/receipts/{token}")
    assert response.status_code == (200 if token.isdecimal() and len(token) <= DIGITS_MOST else 404)


@pytest.mark.usefixtures("desk")
def test_the_images_lead_back_to_the_page(client: FlaskClient, tablet: SigningTablet) -> None:
    token = tablet.receipt(a_payment())["token"]
    png = client.get(f"/r/{token}.png")
    assert png.headers["Cache-Control"] == "no-store"
    assert png.mimetype == "image/png"
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.data)), formats=zxingcpp.BarcodeFormat.QRCode)[
        0
    ].text
    assert found == f"http://localhost:8000/r/{token}"
    svg = client.get(f"/r/{token}.svg")
    assert svg.mimetype == "image/svg+xml"
    assert svg.get_data(as_text=True).startswith("<svg ")


def test_every_standing_has_its_words_and_its_place_in_the_contract() -> None:
    from server.receipts.wording import _VERDICTS

    assert set(_VERDICTS) == set(Standing)
    assert list(STANDINGS) == [str(one) for one in Standing]


def test_amounts_are_written_as_in_viet_nam() -> None:
    assert [amount_text(amount) for amount in (0, 999, 1_000, 1_234_567)] == [
        "0\N{NO-BREAK SPACE}đ",
        "999\N{NO-BREAK SPACE}đ",
        "1.000\N{NO-BREAK SPACE}đ",
        "1.234.567\N{NO-BREAK SPACE}đ",
    ]


def test_the_number_on_the_page_is_the_tokens_own(any_runtime: Runtime, tablet: SigningTablet) -> None:
    content = parse_receipt(tablet.receipt(a_payment())["token"]).content
    assert receipt_number(content, any_runtime.config.time_zone) == "20-04807-00000001"
