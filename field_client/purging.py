"""Finished work loses its personal details once the office keeps it in two verified backups.

Only what the server acknowledged, judged and showed back is touched, a month later, and never above
the durable mark (docs/protocol.md, rule 10). Digests, kinds, outcomes and what a list of one's own
work shows stay. Payments, donations, remittances and receipts stay whole: they prove money, and can
be sent again however old the backup is that an office restores.
"""

from __future__ import annotations

import json
from typing import Any

from field_client.identity import Identities
from field_client.store import Store
from sync.clock import DAY_MS

# An agent looks at last month's work; older than that it is the office's.
PURGED_AFTER_MS = 30 * DAY_MS
# kind → the members of the body that stay: names to recognise the work by, and what links it.
KEPT_MEMBERS = {
    "household_registered": ("area", "hamlet", "head_name"),
    "household_amended": ("household", "base"),
    "person_registered": ("area", "household", "full_name"),
    "person_amended": ("person", "base"),
    "visit_recorded": ("area", "household", "disposition", "call_back_on", "campaign", "promoter"),
    "vssid_installed": ("area", "person", "state", "occasion", "evidence", "campaign", "promoter"),
    # What shows somebody's hardship goes, and so does the proof of who took the card.
    "beneficiary_nominated": ("person", "fund", "pool", "consent"),
    "card_handed_over": ("allocation", "person"),
}
_FINISHED = ("applied", "merged", "duplicate", "voided")


def purge_durable(store: Store, identities: Identities, now_ms: int) -> int:
    """Purge what may go in the current journal; return how many entries."""
    identity = identities.current()
    standing = identities.standing(identity.installation)
    kinds, states = sorted(KEPT_MEMBERS), _FINISHED
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT entry.local_id, kind, sha256, sealed FROM journal JOIN entry USING (local_id) "  # noqa: S608
            "WHERE installation_id = ? AND seq <= ? AND acked_ms <= ? AND reflected = 1 "
            f"AND purged_ms IS NULL AND kind IN ({_marks(kinds)}) AND state IN ({_marks(states)})",
            (
                identity.installation,
                min(standing.durable_seq, standing.acked_seq),
                now_ms - PURGED_AFTER_MS,
                *kinds,
                *states,
            ),
        ).fetchall()
        for local_id, kind, sha256, sealed in rows:
            kept = _kept(kind, store.sealer.open(sealed, "entry.sealed", sha256))
            connection.execute(
                "UPDATE entry SET sealed = ?, purged_ms = ? WHERE local_id = ?",
                (store.sealer.seal(kept, "entry.sealed", sha256), now_ms, local_id),
            )
    return len(rows)


def _marks(values: Any) -> str:
    return ", ".join("?" for _ in values)


def _kept(kind: str, raw: str) -> str:
    content = json.loads(raw)
    body = {name: value for name, value in content["body"].items() if name in KEPT_MEMBERS[kind]}
    return json.dumps(content | {"body": body}, ensure_ascii=False, separators=(",", ":"))
