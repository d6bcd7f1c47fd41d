"""Hostile requests to the two addresses of devices: what is wrong is around the entries."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from functools import cache
from random import Random
from typing import Any

from schemas.signatures import SIGNATURE_HEADER, to_base64url
from sync.limits import LIMITS
from tests.contracts.hostile.lanes import ANY, JSON, Family, Lane, Shot, written_body
from tests.contracts.hostile.values import (
    CANARY,
    ENCODINGS,
    crowd_from,
    deep_from,
    number_from,
    spoilt,
    text_from,
    twice_named,
    value_from,
    written,
)
from tests.support.raw_tablet import ENROLMENTS, SYNC

_PATHS = (SYNC, ENROLMENTS)
_REFUSED = frozenset({400, 401, 413, 415, 422})


def _random_bytes(rng: Random, lane: Lane) -> Shot:
    return lane.signed(rng.choice(_PATHS), rng.randbytes(rng.choice([0, 1, 7, 200, 20_000])))


def _random_json(rng: Random, lane: Lane) -> Shot:
    return lane.signed(rng.choice(_PATHS), written(value_from(rng, 5)).encode())


def _deep(rng: Random, lane: Lane) -> Shot:
    path, deep = rng.choice(_PATHS), deep_from(rng)
    if rng.random() < 0.5:
        deep = written(lane.sound_body(path))[:-1] + ',"deep":' + deep + "}"
    return lane.signed(path, deep.encode())


def _encoding(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    text = json.dumps(lane.sound_body(path) | {"ghichú": "ệé"}, ensure_ascii=False)
    return lane.signed(path, rng.choice(ENCODINGS)(text))


def _twice(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    content = lane.sound_body(path)
    if rng.random() < 0.5:
        return lane.signed(path, twice_named(rng, content).encode())
    inner = twice_named(rng, content["clock"])
    return lane.signed(path, written(content | {"clock": "@"}).replace('"@"', inner).encode())


def _spoilt(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    return lane.signed(path, written_body(spoilt(rng, lane.sound_body(path))), zipped=rng.random() < 0.3)


def _numbers(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    text = written(lane.sound_body(path))
    digits = rng.choice(["9" * 5_000, "-" + "9" * 400_000, "1e999999", "1E+5", "-0", "01", "0x1", "1.", "+1"])
    return lane.signed(path, re.sub('"protocol": [12]', f'"protocol": {digits}', text).encode())


def _seqs(rng: Random, lane: Lane) -> Shot:
    content = lane.request([lane.sound()], pull={"have": [], "limit": number_from(rng)})
    where = rng.choice(["push.first_seq", "journal_head.seq", "clock.wall_ms", "clock.monotonic_ms"])
    outer, _, inner = where.partition(".")
    content[outer][inner] = rng.choice([0, -1, 2**53 - 1, -(2**53) + 1, number_from(rng)])
    if rng.random() < 0.4:
        content["journal_head"]["seq"] = content["push"]["first_seq"]
    return lane.signed(SYNC, written_body(content))


def _scopes(rng: Random, lane: Lane) -> Shot:
    names = [
        "office",
        "agent:" + "x" * 36,
        "area:28252@2004-01-01",
        "area:",
        ":",
        "office:x",
        "A:b",
        "entry:1",
    ]
    names += ["agent:" + "z" * 81, "organisation:\u1ec7", "area:28249@2004-01-01\n", text_from(rng)]
    count = rng.choice([0, 1, 3, 50, 4_999, 5_000, 5_001]) if rng.random() < 0.2 else rng.randrange(6)
    have = [
        {
            "scope": f"area:{n}@2004-01-01" if count > 50 else rng.choice(names),
            "epoch": rng.choice([0, 1, 2, 2**53 - 1]),
            "seq": rng.choice([0, 1, 10**6, 2**53 - 1]),
            "count": rng.choice([0, 2**53 - 1]),
            "sum": rng.choice(["0" * 16, "f" * 16]),
        }
        for n in range(count)
    ]
    if have and rng.random() < 0.5:
        have[0] |= {rng.choice(list(have[0])): value_from(rng)}
    limit = rng.choice([1, 10, 50, 0, 1_001, -1, LIMITS.pull_rows if rng.random() < 0.02 else 20])
    pull: dict[str, Any] = {"have": have, "limit": limit}
    if rng.random() < 0.5:
        pull["differing"] = rng.choice(
            [names[:1], names[:3] * 10, names * 500, [text_from(rng)], value_from(rng)]
        )
    return lane.signed(SYNC, written_body(lane.request(pull=pull)))


def _statements(rng: Random, lane: Lane) -> Shot:
    """Acknowledgements and certificates of others, bent ones, and one in the other's place."""
    own = lane.last_ack or lane.certificate or {"text": "{}", "kid": "0" * 8, "signature": "AA"}
    bent = [
        own | {"text": own["text"] + " "},
        own | {"text": own["text"].replace("1", "2")},
        own | {"signature": own["signature"][:-1] + "A"},
        own | {"signature": to_base64url(rng.randbytes(rng.choice([0, 1, 63, 64, 65, 150])))},
        own | {"signature": rng.choice(["A", "A===", "+/+/", "\u0410" * 86, "=" * 86, "A" * 201])},
        own | {"kid": rng.choice(["0" * 8, "F" * 8, "", "0" * 9])},
        own | {"text": rng.choice(["", "x" * 1_000, "x" * 1_001, "[" * 999, "\x00", '{"acked_seq":1e999}'])},
        lane.certificate,
        spoilt(rng, own),
        value_from(rng),
    ]
    member = rng.choice(["last_ack", "last_ack", "certificate"])
    return lane.signed(SYNC, written_body(lane.request([lane.sound()], **{member: rng.choice(bent)})))


def _odd_members(rng: Random, lane: Lane) -> Shot:
    edges = [1, lane.seq, lane.seq + 1, lane.seq + 2, 2**53 - 1]
    digest = rng.choice(["0" * 64, lane.digest])
    hole = {"from_seq": rng.choice(edges), "floor_seq": rng.choice(edges), "floor_digest": digest}
    member: dict[str, Any] = rng.choice(
        [
            {"hole": hole},
            {"hole": value_from(rng)},
            {"predecessor": "00000000-0000-4000-8000-000000000009"},
            {"predecessor": lane.installation},
            {"predecessor": text_from(rng)},
            {
                "installation": rng.choice(
                    ["desk", "", "00000000-0000-4000-8000-000000000009", lane.installation.upper()]
                )
            },
            {"protocol": number_from(rng)},
            {"protocol": rng.choice([0, -1, 3, "1", [1], None, 2**80])},
        ]
    )
    path = rng.choice(_PATHS) if "hole" not in member else SYNC
    return lane.signed(path, written_body(lane.sound_body(path) | member))


def _crowd(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    content = lane.sound_body(path)
    if rng.random() < 0.5:
        content["clock"] = crowd_from(rng)
    else:
        content |= crowd_from(rng)
    return lane.signed(path, written_body(content), zipped=True)


def _texts(rng: Random, lane: Lane) -> Shot:
    """Surrogates, NUL, other normal forms and the like, in every text of the envelope."""
    path = rng.choice(_PATHS)
    content = spoilt(rng, lane.sound_body(path), text_from(rng))
    return lane.signed(path, written_body(content))


def _odd_enrolment(rng: Random, lane: Lane) -> Shot:
    """A true code with all the rest spoilt, or keys that are none."""
    if rng.random() < 0.05:
        return lane.signed(ENROLMENTS, written_body(spoilt(rng, lane.enrolment(lane.new_code()))))
    content = lane.enrolment(to_base64url(rng.randbytes(20)))
    spki = lane.key.public.spki
    content["public_key"] = rng.choice(
        [
            to_base64url(spki[:-1]),
            to_base64url(spki + b"\0"),
            to_base64url(spki[:27] + rng.randbytes(64)),
            to_base64url(spki[:26] + b"\x04" + b"\0" * 64),
            to_base64url(rng.randbytes(91)),
            "A" * rng.choice([1, 200, 201]),
            "+/==",
        ]
    )
    return lane.signed(ENROLMENTS, written_body(content))


@cache
def _bomb(megabytes: int, filling: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(filling * 1_000_000) for _ in range(megabytes)) + packer.flush()


def _bombs(rng: Random, lane: Lane) -> Shot:
    bomb = _bomb(rng.choice([9, 40, 200]), rng.choice([b" ", b"[", b"\0"]))
    if rng.random() < 0.2:
        twice = lane.signed(rng.choice(_PATHS), b"", Content_Encoding="gzip, gzip")
        return _with_body(twice, gzip.compress(bomb, mtime=0))
    return _with_body(lane.signed(rng.choice(_PATHS), b"", Content_Encoding="gzip"), bomb)


def _with_body(shot: Shot, body: bytes) -> Shot:
    return Shot(shot.path, body, shot.headers)


def _gzip(rng: Random, lane: Lane) -> Shot:
    """Cut, bent, in several members, with something behind, or none at all."""
    path = rng.choice(_PATHS)
    inflated = written_body(lane.sound_body(path))
    shot = lane.signed(path, inflated, zipped=True)
    whole, half = bytearray(shot.body), len(inflated) // 2
    whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    return _with_body(
        shot,
        rng.choice(
            [
                shot.body[: rng.randrange(len(shot.body))],
                bytes(whole),
                gzip.compress(inflated[:half], mtime=0) + gzip.compress(inflated[half:], mtime=0),
                shot.body + shot.body,
                shot.body + CANARY.encode(),
                gzip.compress(shot.body, mtime=0),
                zlib.compress(inflated),
                inflated,
                b"",
                b"\x1f\x8b",
            ]
        ),
    )


def _large(rng: Random, lane: Lane) -> Shot:
    filling = rng.choice([b" ", b"9", b'"', b"["]) * (LIMITS.body_bytes + rng.choice([0, 1, 500_000]))
    return lane.signed(rng.choice(_PATHS), rng.choice([b"", b'{"protocol":']) + filling)


def _labels(rng: Random, lane: Lane) -> Shot:
    """Other content types, other codings, other characters sets."""
    path = rng.choice(_PATHS)
    shot = lane.signed(path, written_body(lane.sound_body(path)))
    header = rng.choice(
        [
            {
                "Content-Type": rng.choice(
                    ["", "text/plain", "application/json5", "/", "multipart/form-data", "é"]
                )
            },
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Type": "multipart/form-data; boundary=" + "b" * 500},
            {"Content-Encoding": rng.choice(["br", "deflate", "gzip, gzip", "GZIP", "x", "é", "zstd"])},
            {"Accept-Encoding": rng.choice(["gzip;q=0", "*", "é", "gzip" * 300])},
            {"Accept": "text/html"},
            {"User-Agent": "\u00e9" * 200},
            {"X-Forwarded-For": "' OR 1=1", "Cookie": "session=" + "x" * 3_000},
        ]
    )
    return Shot(path, shot.body, shot.headers | header)


def _signatures(rng: Random, lane: Lane) -> Shot:
    path = rng.choice(_PATHS)
    shot = lane.signed(path, written_body(lane.sound_body(path)))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    full, none = order.to_bytes(32, "big"), b"\0" * 32
    headers = dict(shot.headers)
    headers[SIGNATURE_HEADER] = rng.choice(
        [
            *("", "A", "A" * 85, "A" * 86, "A" * 87, "=" * 86, "\u00e9" * 86, "%" * 86, "A" * 5_000),
            to_base64url(none + none),
            to_base64url(full + full),
            to_base64url(rng.randbytes(64)),
            to_base64url(rng.randbytes(71)),
            headers[SIGNATURE_HEADER] + "==",
            headers[SIGNATURE_HEADER].swapcase(),
        ]
    )
    if rng.random() < 0.1:
        del headers[SIGNATURE_HEADER]
    return Shot(path, shot.body, headers)


def _methods(rng: Random, lane: Lane) -> Shot:
    path = rng.choice([*_PATHS, "/api/v1/receipts/1", "/api/v1/sync/", "/api/v1/SYNC", "/api/v2/sync"])
    shot = lane.signed(path, b"{}")
    method = rng.choice(["GET", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
    return Shot(path, shot.body, shot.headers, method=method)


def _framing(rng: Random, lane: Lane) -> Shot:
    """Lengths that lie, chunks that end early or never, headers that smuggle."""
    path = rng.choice(_PATHS)
    shot = lane.signed(path, written_body(lane.sound_body(path)))
    body, size = shot.body, len(shot.body)
    chunk = f"{size:x}\r\n".encode() + body + b"\r\n"
    framing, sent = rng.choice(
        [
            (f"Content-Length: {size + 10}", body),
            (f"Content-Length: {size - 10}", body),
            ("Content-Length: -1", body),
            ("Content-Length: 1e3", body),
            ("Content-Length: " + "9" * 30, body),
            (f"Content-Length: {size}\r\nContent-Length: {size + 1}", body),
            ("X-None: 1", body),
            ("Transfer-Encoding: chunked", chunk + b"0\r\n\r\n"),
            ("Transfer-Encoding: chunked", chunk),
            ("Transfer-Encoding: chunked", b"ffffffffffffffff\r\n" + body),
            ("Transfer-Encoding: chunked", b"zz\r\n" + body),
            (f"Transfer-Encoding: chunked\r\nContent-Length: {size}", chunk + b"0\r\n\r\n"),
            ("Transfer-Encoding: gzip, chunked", chunk + b"0\r\n\r\n"),
            ("Expect: 100-continue\r\nContent-Length: 3", b"{}x"),
        ]
    )
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {JSON}",
        "Connection: close",
        framing,
    ]
    lines.append(f"{SIGNATURE_HEADER}: {shot.headers[SIGNATURE_HEADER]}")
    return Shot(path, b"", {}, raw="\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + sent)


FAMILIES = (
    Family("envelope: random bytes", 20, _REFUSED, _random_bytes),
    Family("envelope: random JSON", 40, _REFUSED, _random_json),
    Family("envelope: deep JSON", 10, frozenset({400, 422}), _deep),
    Family("envelope: other encodings", 25, frozenset({400, 422}), _encoding),
    Family("envelope: a member twice", 30, frozenset({400}), _twice),
    Family("envelope: one member spoilt", 100, ANY, _spoilt),
    Family("envelope: numbers without end", 20, frozenset({400, 422}), _numbers),
    Family("envelope: negative and huge seqs", 50, ANY, _seqs),
    Family("envelope: odd scopes and have", 40, frozenset({200, 400, 422}), _scopes),
    Family("envelope: malformed statements", 50, frozenset({200, 400, 422}), _statements),
    Family("envelope: odd optional members", 30, ANY, _odd_members),
    Family("envelope: crowds and long names", 5, frozenset({400, 422}), _crowd),
    Family("envelope: NUL, surrogates, forms", 60, ANY, _texts),
    Family("envelope: odd enrolments", 30, ANY, _odd_enrolment),
    Family("body: gzip bombs", 15, frozenset({413, 415}), _bombs),
    Family("body: broken gzip", 50, ANY, _gzip),
    Family("body: too large", 3, frozenset({413}), _large),
    Family("request: other labels", 30, ANY, _labels),
    Family("request: odd signatures", 30, frozenset({200, 400, 401, 403}), _signatures),
    Family("request: other methods, addresses", 10, frozenset({200, 404, 405}), _methods),
    Family("request: lengths that lie", 15, ANY, _framing, is_below=True),
)
