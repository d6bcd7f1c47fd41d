"""Writes tien_giang_2025.csv from the package `vietnamadminunits`; run at development time only.

    python3 -m venv /tmp/areas && /tmp/areas/bin/pip install vietnamadminunits==1.0.4
    /tmp/areas/bin/python server/office/areas/make_areas.py

The server never imports this file or that package; it reads the CSV. SOURCE.md says where the
rows come from and what their dates mean.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from vietnamadminunits.database import query

PROVINCE_CODE = "82"
COMMUNES_EXPECTED = 164
VALID_FROM = "2004-01-01"
VALID_TO = "2025-06-30"
COLUMNS = ("code", "name", "level", "parent_code", "parent_name", "valid_from", "valid_to")
TARGET = Path(__file__).with_name("tien_giang_2025.csv")
# The legacy table has one row per commune, which repeats its district's and province's names.
LEGACY_ROWS = (
    "SELECT province, provinceCode, district, districtCode, ward, wardCode FROM admin_units_legacy"
    f" WHERE provinceCode = '{PROVINCE_CODE}' ORDER BY wardCode"
)


def area_rows() -> Iterator[tuple[str, ...]]:
    """Yield the province, its districts and its communes, parents before their children."""
    found = query(LEGACY_ROWS)
    if len(found) != COMMUNES_EXPECTED:
        raise SystemExit(f"expected {COMMUNES_EXPECTED} communes, found {len(found)}")
    province = found[0]["province"]
    districts = {row["districtCode"]: row["district"] for row in found}
    dates = (VALID_FROM, VALID_TO)
    yield (PROVINCE_CODE, province, "province", "", "", *dates)
    for code in sorted(districts):
        yield (code, districts[code], "district", PROVINCE_CODE, province, *dates)
    for row in found:
        yield (row["wardCode"], row["ward"], "commune", row["districtCode"], row["district"], *dates)


def main() -> None:
    """Write the file anew."""
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([unicodedata.normalize("NFC", cell) for cell in row] for row in area_rows())


if __name__ == "__main__":
    main()
