"""The public face of a receipt: a page, its QR code, and the same answer as JSON.

Nobody has to log in, nothing is asked and no cookie is set. Answers are not stored, not indexed
and send no referrer, since the address holds the token.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template
from flask_smorest import Blueprint as ApiBlueprint

from schemas.receipt_qr import Matrix, receipt_matrix
from schemas.receipt_token import ReceiptMalformedError, parse_receipt
from schemas.receipt_view import ReceiptShown
from server.errors import ProblemError, refuses
from server.receipts.queries import ShownReceipt, receipt_shown
from server.receipts.rendering import qr_png, qr_svg
from server.receipts.rules import Standing
from server.receipts.wording import amount_text, facts_of, verdict_of
from server.runtime import current_runtime
from sync.codes import RequestCode

pages = Blueprint("receipts", __name__)
api = ApiBlueprint(
    "receipts_api", __name__, url_prefix="/api/v1", description="Receipts, for anyone who has one"
)

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_DIGITS = {
    "in": "path",
    "name": "digits",
    "required": True,
    "schema": {"type": "string", "pattern": r"^[0-9]{1,400}$"},
}


def _private(response: Response) -> Response:
    for name, value in _PRIVATE.items():
        response.headers[name] = value
    return response


pages.after_request(_private)
api.after_request(_private)


def _shown(digits: str) -> ShownReceipt:
    runtime = current_runtime()
    with runtime.transactions.reading() as connection:
        return receipt_shown(connection, digits, runtime.config.office_key.public, runtime.config.time_zone)


def _matrix_of(digits: str) -> Matrix:
    """Return the QR code of a token; what is no token gets none."""
    try:
        parse_receipt(digits)
    except ReceiptMalformedError as error:
        raise ProblemError(RequestCode.NOT_FOUND) from error
    return receipt_matrix(current_runtime().config.receipt_url, digits)


@pages.get("/r/<digits>")
def receipt_page(digits: str) -> tuple[str, int]:
    """Say what is true of a receipt; without JavaScript, in both languages."""
    runtime = current_runtime()
    shown = _shown(digits)
    content = shown.content
    text = render_template(
        "receipts/receipt.html",
        shown=shown,
        verdict=verdict_of(shown),
        amount=None if content is None else amount_text(content.amount_vnd),
        facts=facts_of(shown, runtime.config.time_zone),
        digits=digits,
        is_clock_virtual=getattr(runtime.clock, "is_virtual", False),
    )
    is_missing = shown.standing is Standing.NOT_A_RECEIPT
    return text, HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.OK


@pages.get("/r/<digits>.svg")
def receipt_svg(digits: str) -> Response:
    """Draw the QR code as SVG."""
    return Response(qr_svg(_matrix_of(digits)), mimetype="image/svg+xml")


@pages.get("/r/<digits>.png")
def receipt_png(digits: str) -> Response:
    """Draw the QR code as PNG."""
    return Response(qr_png(_matrix_of(digits)), mimetype="image/png")


@api.route("/receipts/<digits>", methods=["GET"], parameters=[_DIGITS])
@api.response(200, ReceiptShown)
@refuses(api, 404)
@api.doc(security=[])
def receipt_json(digits: str) -> dict[str, Any]:
    """Say what is true of a receipt; digits that are no receipt get that answer too."""
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 400:
        raise ProblemError(RequestCode.NOT_FOUND)
    shown = _shown(digits)
    content = shown.content
    return {
        "standing": str(shown.standing),
        "reason": None if shown.fault is None else str(shown.fault),
        "content": None
        if content is None
        else {
            "installation": content.installation,
            "counter": content.counter,
            "issued_at_s": content.issued_at_s,
            "kind": int(content.kind),
            "amount_vnd": content.amount_vnd,
            "campaign": content.campaign,
        },
        "number": shown.number,
        "related_number": shown.related_number,
        "payer_initials": shown.payer_initials,
        "office": shown.office_name,
    }
