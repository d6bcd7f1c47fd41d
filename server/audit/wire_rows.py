"""A row of a feed as it travels: spelled once, when it is stamped, and sent as it is ever after.

A first sync is thousands of rows, each read by many tablets: to spell a row anew for each of them
costs more than to read it (docs/performance.md, "First pull").
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any


def wire_row(row: Mapping[str, Any], wire_json: str | None) -> str:
    """Return the JSON of a feed row; the record's own JSON stands in it as it is.

    Types, operations and hashes are words of ours that JSON never escapes.
    """
    record = wire_json if row["op"] == "put" and wire_json is not None else "null"
    return (
        f'{{"scope":{encode_basestring_ascii(row["scope"])},"seq":{row["seq"]},'
        f'"type":"{row["record_type"]}","id":{encode_basestring_ascii(row["record_id"])},'
        f'"version":{row["version"]},"op":"{row["op"]}","row_hash":"{row["row_hash"]}","record":{record}}}'
    )
