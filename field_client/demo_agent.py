"""A field client that the demo leads by the hand: commands in, one JSON line each, and events out.

Runs in a process of its own, `python -m field_client.demo_agent HOME`, and does everything through
the same client as a person at the keyboard. Ends at the end of its input. Commands come through a
pipe and never touch the disk, since they hold what people said at the door.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from field_client.actions import Actions
from field_client.client import FieldClient
from field_client.delivery import DeviceCopiedError, NotAcknowledgedError
from field_client.enrolment import OtherWorkerError
from field_client.exchange import RefusedError, ServerBusyError
from field_client.session import NoProgressError
from field_client.transport import HttpTransport, LineDownError, NotOurServerError, Reply

# A replay cannot wait as patiently as a tablet in a pocket.
_LONGEST_WAIT_S = 0.5
_SYNC_ATTEMPTS = 60
_HELD_S = 120.0
_ANSWERED_WRONGLY = (NotOurServerError, NotAcknowledgedError, NoProgressError, RefusedError, OtherWorkerError)


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class ObservedTransport:
    """Says when the first request goes out; can lose one answer after the server has given it.

    `holds_reply` keeps an answer back for so long that whoever is to kill this process can.
    """

    loses_reply = False
    holds_reply = False
    is_told = True

    def __init__(self, server_url: str) -> None:
        self._line = HttpTransport(server_url)

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        """Post, unless the line is to fail on the way back."""
        if not ObservedTransport.is_told:
            ObservedTransport.is_told = True
            _tell(event="posting")
        reply = self._line.post(path, body, signature)
        if ObservedTransport.holds_reply:
            time.sleep(_HELD_S)
        if ObservedTransport.loses_reply:
            ObservedTransport.loses_reply = False
            _tell(event="reply_lost", status=reply.status)
            raise LineDownError("lost on the way back")
        return reply

    def close(self) -> None:
        """Let the line go."""
        self._line.close()


def _visit(actions: Actions, visit: dict[str, Any]) -> list[tuple[str, int]]:
    """Record a visit with everything that came of it but the money; return what is to be paid."""
    campaign, promoter = visit["campaign"], visit["promoter"]
    household = actions.register_household(
        area=visit["area"], head_name=visit["head_name"], address=visit["address"], phone=visit["phone"]
    )
    knock = actions.record_visit(
        household=household, disposition=visit["disposition"], campaign=campaign, promoter=promoter
    )
    persons = [actions.register_person(household=household, **person) for person in visit["people"]]
    allocations = []
    for person, enrolment in zip(persons, visit["enrolments"], strict=True):
        entry = actions.record_enrolment(
            person=person, visit=knock, campaign=campaign, promoter=promoter, **enrolment
        )
        allocations.append((entry, enrolment["amount_due_vnd"]))
    for person in persons[: visit["installs"]]:
        actions.record_install(
            person=person,
            state="activated",
            occasion="home_visit",
            evidence="seen_on_screen",
            campaign=campaign,
        )
    return allocations


def _unreadable_payment(client: FieldClient, scheme: str, allocations: list[tuple[str, int]]) -> None:
    """Record cash as an app that never was would have: with a member that nobody knows."""
    items = [{"enrolment": entry, "amount_vnd": amount_vnd} for entry, amount_vnd in allocations]
    body = {"scheme": scheme, "method": "cash", "allocations": items, "note": None, "counted_by": "demo"}
    client.outbox.append_raw("payment_collected", body)


def _record(client: FieldClient, command: dict[str, Any]) -> dict[str, Any]:
    visit = command["visit"]
    with client.recording() as actions:
        allocations = _visit(actions, visit)
        if not allocations:
            return {"receipt": None}
        if visit["is_payment_unreadable"]:
            _unreadable_payment(client, visit["enrolments"][0]["scheme"], allocations)
            return {"receipt": None}
        collected = actions.collect_payment(allocations, method=visit["method"])
    receipt = collected.receipt
    shown = {"number": receipt.number, "token": receipt.token, "amount_vnd": collected.amount_vnd}
    return {"receipt": shown}


def _enrol(client: FieldClient, command: dict[str, Any]) -> dict[str, Any]:
    identity = client.enrol(command["server"], command["code"], again=command["again"])
    return {
        "installation": identity.installation,
        "number": identity.number,
        "predecessor": identity.predecessor,
        "carried": client.outbox.head().seq,
    }


def _sync(client: FieldClient, command: dict[str, Any]) -> dict[str, Any]:
    ObservedTransport.loses_reply = command.get("fault") == "lose_reply"
    ObservedTransport.holds_reply = command.get("fault") == "hold_reply"
    ObservedTransport.is_told = False
    for attempt in range(1, _SYNC_ATTEMPTS + 1):
        try:
            report = client.sync()
        except (LineDownError, ServerBusyError):
            time.sleep(_LONGEST_WAIT_S)
            continue
        except DeviceCopiedError as error:
            return {"outcome": "stopped", "code": error.code}
        except _ANSWERED_WRONGLY as error:
            return {"outcome": "failed", "code": f"{type(error).__name__} {error}"}
        return {
            "outcome": "synced",
            "attempts": attempt,
            "sent": report.sent,
            "unsent": report.unsent,
            "quarantined": report.quarantined,
            "differing_scopes": len(report.differing_scopes),
        }
    return {"outcome": "failed", "code": "offline"}


COMMANDS: dict[str, Callable[[FieldClient, dict[str, Any]], dict[str, Any]]] = {
    "record": _record,
    "enrol": _enrol,
    "sync": _sync,
}


def client_of(home: Path) -> FieldClient:
    """Return the client of a home, which waits for no server as long as a tablet in a pocket would."""
    sleep = lambda seconds: time.sleep(min(seconds, _LONGEST_WAIT_S))  # noqa: E731  # read where it is used
    return FieldClient(home, transport=ObservedTransport, sleep=sleep)


def obey(lines: Iterable[str], commands: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """Do what each line says, and tell what came of it."""
    for line in lines:
        command = json.loads(line)
        _tell(done=command["do"], **commands[command["do"]](command))


def main(home: Path) -> None:
    """Obey commands until there are no more."""
    with client_of(home) as client:
        obey(sys.stdin, {name: partial(command, client) for name, command in COMMANDS.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
