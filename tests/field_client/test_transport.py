"""The line: what is sent, and what is made of every kind of answer."""

from __future__ import annotations

import gzip

import httpx
import pytest

from field_client import transport
from field_client.client import CLOCK_VARIABLE, clock_of_environment
from field_client.exchange import ATTEMPTS, Exchanger, ServerBusyError
from field_client.transport import HttpTransport, LineDownError, NotOurServerError
from schemas.exchange import SyncResponse
from schemas.signatures import PrivateKey
from sync.clock import SystemClock, VirtualClock

URL = "https://office.example"


def over(handler):
    return HttpTransport(URL, httpx.Client(transport=httpx.MockTransport(handler)))


def test_a_large_body_goes_out_compressed_and_a_small_one_as_it_is():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, json={})

    line = over(answer)
    line.post("/api/v1/sync", b"x" * 5000, "sig")
    line.post("/api/v1/sync", b"y", "sig")
    line.close()
    assert gzip.decompress(seen[0].content) == b"x" * 5000
    assert seen[0].headers["content-encoding"] == "gzip"
    assert "content-encoding" not in seen[1].headers
    assert seen[1].headers["tungnha-signature"] == "sig"
    assert seen[1].headers["user-agent"].startswith("tungnha-field/")


def test_a_redirect_is_not_followed():
    """[W6] A client does not follow redirects."""
    reply = over(lambda _: httpx.Response(302, headers={"location": "http://portal/"})).post("/p", b"", "s")
    assert reply.status == 302


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_line_that_fails_is_down(error):
    def fail(_request):
        raise error("gone")

    with pytest.raises(LineDownError):
        over(fail).post("/p", b"", "s")


def test_an_answer_that_does_not_decode_is_not_our_servers():
    bad = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))
    with pytest.raises(NotOurServerError):
        over(lambda _: bad).post("/p", b"", "s")


def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(transport, "REPLY_BYTES", 10_000)
    bomb = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(b"0" * 1_000_000))
    )
    with pytest.raises(NotOurServerError, match="too large"):
        over(lambda _: bomb).post("/p", b"", "s")


def test_an_answer_that_drips_runs_into_the_deadline(monkeypatch):
    monkeypatch.setattr(transport, "WHOLE_S", -1.0)
    with pytest.raises(LineDownError, match="too long"):
        over(lambda _: httpx.Response(200, content=b"{}")).post("/p", b"", "s")


def test_no_attempt_is_made_an_hour_after_the_request_was_signed():
    """[Q5] A request is not sent more than an hour after it was signed."""
    waits = []
    line = over(lambda _: httpx.Response(503, headers={"retry-after": "300"}))
    with pytest.raises(ServerBusyError):
        Exchanger(line, PrivateKey.generate(), waits.append).post("/p", dict, SyncResponse())
    assert len(waits) == ATTEMPTS - 1
    assert sum(waits) + ATTEMPTS * transport.WHOLE_S < 3600


def test_only_the_demo_moves_the_clock(monkeypatch, tmp_path):
    monkeypatch.delenv(CLOCK_VARIABLE, raising=False)
    assert isinstance(clock_of_environment(), SystemClock)
    monkeypatch.setenv(CLOCK_VARIABLE, str(tmp_path / "clock.json"))
    assert isinstance(clock_of_environment(), VirtualClock)
