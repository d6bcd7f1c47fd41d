"""What the second client keeps, and how an answer changes it. Written from docs/protocol.md alone."""

from __future__ import annotations

from tests.end_to_end.second_wire import Json, LineDownError, id_of


def nothing_yet() -> Json:
    none = ("enrolling", "installation", "predecessor", "worker", "last_ack", "stopped", "limits")
    lists = ("journal", "differing", "incidents", "receipts", "set_aside")
    return (
        dict.fromkeys(none)
        | dict.fromkeys(("acked", "epoch", "counter"), 0)
        | {name: [] for name in lists}
        | {name: {} for name in ("fates", "scopes", "records")}
    )


def take_verdicts(state: Json, push: Json | None, verdicts: list[Json]) -> None:
    first = push["first_seq"] if push else 1
    if [v["seq"] for v in verdicts] != [first + n for n in range(len(push["entries"]) if push else 0)]:
        raise LineDownError("not the verdicts of this push")
    for verdict in verdicts:
        entry_id = id_of(state["journal"][verdict["seq"] - 1])
        known = state["fates"].setdefault(entry_id, {"epoch": 0})
        # A stand-in [E5] names the entry in outcomes; the verdict of a newer epoch makes all else old.
        known |= {name: verdict[name] for name in ("verdict", "code", "field", "flags")}
        known["known_as"] = verdict["id"]
        if known["epoch"] < state["epoch"]:
            known |= {"epoch": state["epoch"], "outcome": None}


def take_outcomes(state: Json, outcomes: list[Json]) -> None:
    own = {known.get("known_as"): known for known in state["fates"].values()}
    for outcome in outcomes:
        if outcome["id"] in own:
            own[outcome["id"]] |= {"outcome": outcome["state"], "outcome_code": outcome["code"]}


def take_rows(state: Json, grants: list[Json], rows: list[Json], *, is_recovering: bool) -> bool:
    """Apply rows in their order; return whether every granted scope stands at its head [P4]."""
    granted, held, records = {grant["scope"]: grant for grant in grants}, state["scopes"], state["records"]
    for scope, grant in granted.items():
        mine = held.get(scope)
        if mine is None or mine["epoch"] != grant["epoch"] or mine["seq"] > grant["head"]:
            held[scope] = {"epoch": grant["epoch"], "seq": 0, "sum": "0" * 16, "rows": {}}
    for row in rows:
        mine, key = held[row["scope"]], f"{row['type']}/{row['id']}"
        total = int(mine["sum"], 16) - int(mine["rows"].pop(key, "0"), 16)
        if row["op"] == "put":
            mine["rows"][key] = row["row_hash"]
            total += int(row["row_hash"], 16)
            newer = (mine["epoch"], row["version"])
            if key not in records or newer >= (records[key]["epoch"], records[key]["version"]):
                records[key] = {"epoch": newer[0], "version": newer[1], "record": row["record"]}
            if row["type"] == "outcome":
                take_outcomes(state, [row["record"] | {"id": row["id"]}])
        mine |= {"sum": f"{total % 2**64:016x}", "seq": row["seq"]}
    if not rows:
        for scope, grant in granted.items():
            held[scope]["seq"] = grant["head"]
    if any(held[scope]["seq"] != grant["head"] for scope, grant in granted.items()):
        return False
    if not is_recovering:
        # [P5], [P6] Only now, all at their heads, does anything leave; [R11.3] unless it is only forgotten.
        state["scopes"] = held = {scope: mine for scope, mine in held.items() if scope in granted}
        listed = {key for mine in held.values() for key in mine["rows"]}
        state["records"] = {key: record for key, record in records.items() if key in listed}
    for known in state["fates"].values():
        known["is_reflected"] = True
    differing = [
        scope
        for scope, grant in granted.items()
        if (len(held[scope]["rows"]), held[scope]["sum"]) != (grant["count"], grant["sum"])
    ]
    state["incidents"] += [f"sum of {scope}" for scope in differing if scope not in state["differing"]]
    state["differing"] = differing
    return True
