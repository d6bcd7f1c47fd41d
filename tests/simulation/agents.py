"""What agents do at doors, each a step; every one goes through the real client's actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from field_client.outbox import CaptureRefusedError
from tests.simulation import plan
from tests.simulation.oracle.model import sha256 as sha256_of
from tests.simulation.steps import Step
from tests.simulation.tablets import Tablet, TabletKilledError
from tests.simulation.violation import require
from tests.simulation.world import POISON, World

_NATIONAL_IDS = ("000190000001", "000190000002", "000190000003")
_DISPOSITIONS = ("agreed", "refused", "nobody_home")


def at_a_door(work: Callable[[World, Tablet, Step], Any]) -> Callable[[World, Step], None]:
    """Let `work` be one capture of a tablet: wholly saved, or wholly not when the app dies in it."""

    def capture(world: World, step: Step) -> None:
        tablet = step.pick(0, world.tablets)
        before = [sha256 for sha256, _, _ in tablet.entries()]
        is_to_die = step.numbers[4] % 11 == 0
        tablet.connection.left = step.numbers[3] % 23 if is_to_die else None
        has_died = False
        try:
            with tablet.client.recording():
                work(world, tablet, step)
        except CaptureRefusedError as refusal:
            world.note("  refused", refusal)
        except TabletKilledError:
            has_died = True
            world.fire("tablet_killed_capturing")
            tablet.reopen()
        tablet.connection.left = None
        after = [sha256 for sha256, _, _ in tablet.entries()]
        require(after[: len(before)] == before, "1 what was saved stays", tablet.name)
        require(not has_died or len(after) == len(before), "1 a capture is whole or absent", tablet.name)
        tablet.saved += after[len(before) :]
        for sha256 in after[len(before) :]:
            world.true_ms.setdefault(sha256, world.clock.now_ms())

    return capture


def _area(step: Step, place: int) -> str:
    return str(step.pick(place, plan.COMMUNES))


def _campaign(step: Step, place: int) -> int | None:
    return step.pick(place, (plan.DRIVE, plan.DRIVE, plan.LAUNCH_DAY, None))


def _promoter(world: World, step: Step) -> dict[str, str] | None:
    choice = step.numbers[3] % 6
    if choice == 0:
        return {"kind": "officer", "id": step.pick(2, sorted(world.oracle.office.workers))}
    if choice == 1 and world.known.households:
        return {"kind": "household", "id": step.pick(2, world.known.households)[0]}
    return None


def register(world: World, tablet: Tablet, step: Step) -> str:
    """Register a household, and mostly a person of it."""
    area = _area(step, 1)
    name = POISON if step.numbers[4] % 29 == 7 else f"Hộ {step.salt % 9973}"
    household = tablet.client.actions.register_household(
        area=area, head_name=name, address=f"{step.numbers[2]} Hùng Vương", members=1 + step.numbers[2] % 9
    )
    world.known.households.append((household, area))
    if step.numbers[2] % 4:
        _person(world, tablet, step, household=household)
    return household


def _person(world: World, tablet: Tablet, step: Step, **place: str) -> str:
    optional: dict[str, Any] = {}
    if step.numbers[2] % 3 == 0:
        optional["national_id"] = step.pick(3, _NATIONAL_IDS)
    if step.numbers[2] % 5 == 0:
        optional["insurance_number"] = f"79{step.numbers[3] % 3:08d}"
    area = place.get("area") or dict(world.known.households)[place["household"]]
    name = POISON if step.numbers[4] % 31 == 7 else f"Người {step.salt % 9967}"
    person = tablet.client.actions.register_person(full_name=name, **place, **optional)
    world.known.persons.append((person, area))
    return person


def register_person(world: World, tablet: Tablet, step: Step) -> None:
    """Register a person in a household that this tablet may not have heard of, or in none."""
    if world.known.households and step.numbers[2] % 4:
        _person(world, tablet, step, household=step.pick(1, world.known.households)[0])
    else:
        _person(world, tablet, step, area=_area(step, 1))


def visit(world: World, tablet: Tablet, step: Step) -> None:
    """Knock at a door, perhaps one that another tablet has not delivered yet."""
    if not world.known.households:
        register(world, tablet, step)
    household, area = step.pick(1, world.known.households)
    entry = tablet.client.actions.record_visit(
        household=household,
        disposition=step.pick(2, _DISPOSITIONS),
        area=_area(step, 3) if step.numbers[2] % 7 == 0 else area,
        campaign=_campaign(step, 2),
        note=POISON if step.numbers[4] % 17 == 7 else None,
        promoter=_promoter(world, step),
    )
    world.known.visits.append((entry, tablet.worker))


def install(world: World, tablet: Tablet, step: Step) -> None:
    """Help with the VssID app."""
    if not world.known.persons:
        _person(world, tablet, step, area=_area(step, 1))
    person, area = step.pick(1, world.known.persons)
    tablet.client.actions.record_install(
        person=person,
        state=step.pick(2, ("declared", "activated", "in_use")),
        occasion="home_visit",
        evidence="seen_on_screen",
        area=area,
        campaign=_campaign(step, 3),
    )


def enrol_person(world: World, tablet: Tablet, step: Step) -> tuple[str, str, int]:
    """Enrol a person in a scheme."""
    if not world.known.persons:
        _person(world, tablet, step, area=_area(step, 1))
    person, area = step.pick(1, world.known.persons)
    scheme, amount = step.pick(2, (("voluntary", 300_000), ("health", 800_000)))
    visits = [entry for entry, worker in world.known.visits if worker == tablet.worker]
    entry = tablet.client.actions.record_enrolment(
        person=person,
        scheme=scheme,
        status=step.pick(3, ("new", "renewal")),
        from_month="2020-06",
        months=3,
        amount_due_vnd=amount,
        area=area,
        campaign=_campaign(step, 3),
        visit=step.pick(2, visits) if visits and step.numbers[2] % 3 == 0 else None,
        promoter=_promoter(world, step),
    )
    world.known.enrolments.append((entry, scheme, amount))
    return entry, scheme, amount


def pay(world: World, tablet: Tablet, step: Step) -> None:
    """Take money, whole or in part, with a receipt."""
    if not world.known.enrolments:
        enrol_person(world, tablet, step)
    enrolment, scheme, amount = step.pick(1, world.known.enrolments)
    collected = tablet.client.actions.collect_payment(
        [(enrolment, amount // 2 if step.numbers[2] % 3 == 0 else amount)],
        scheme=scheme,
        method="transfer" if step.numbers[2] % 4 == 1 else "cash",
        note=POISON if step.numbers[4] % 13 == 7 else None,
    )
    world.known.payments.append((collected.payment_id, tablet.worker))


def door(world: World, tablet: Tablet, step: Step) -> None:
    """A whole visit at once: household, person, enrolment and money, saved together."""
    register(world, tablet, step)
    if not world.known.persons:
        return
    visit(world, tablet, Step("visit", (0, len(world.known.households) - 1, *step.numbers[2:]), step.salt))
    last = (0, len(world.known.persons) - 1, *step.numbers[2:])
    enrolment, scheme, amount = enrol_person(world, tablet, Step("enrol", last, step.salt))
    collected = tablet.client.actions.collect_payment([(enrolment, amount)], scheme=scheme)
    world.known.payments.append((collected.payment_id, tablet.worker))


def amend(world: World, tablet: Tablet, step: Step) -> None:
    """Change a household or a person that this tablet sees."""
    actions = tablet.client.actions
    if world.known.households and step.numbers[2] % 2:
        household = step.pick(1, world.known.households)[0]
        choices: tuple[dict[str, Any], ...] = (
            {"head_name": f"Sửa {step.numbers[3] % 3}"},
            {"address": f"Số {step.numbers[3] % 3}", "members": 1 + step.numbers[3] % 4},
            {"area": _area(step, 3)},
            {"hamlet": f"Ấp {step.numbers[3] % 2}", "head_name": "Sửa 0"},
        )
        actions.amend_household(household, **step.pick(4, choices))
    elif world.known.persons:
        person = step.pick(1, world.known.persons)[0]
        changes: tuple[dict[str, Any], ...] = (
            {"full_name": f"Sửa {step.numbers[3] % 3}"},
            {"national_id": step.pick(3, _NATIONAL_IDS)},
            {"sex": step.pick(3, ("female", "male"))},
        )
        actions.amend_person(person, **step.pick(4, changes))


def rival_edits(world: World, step: Step) -> None:
    """Let two tablets change one household, neither having seen the other's change."""
    household = step.numbers[1] % min(len(world.known.households), 4)
    record_id = world.known.households[household][0]
    seeing = [
        place
        for place, tablet in enumerate(world.tablets)
        if tablet.client.projection.household(record_id) is not None
    ]
    for place in seeing[:2] if step.numbers[2] % 2 else seeing[-2:]:
        numbers = (place, household, 1, place, step.numbers[4] % 4)
        at_a_door(amend)(world, Step("amend", numbers, step.salt + place))


def void(world: World, tablet: Tablet, step: Step) -> None:
    """Take back something of one's own."""
    own = [entry for entry, worker in world.known.payments if worker == tablet.worker]
    visits = [entry for entry, worker in world.known.visits if worker == tablet.worker]
    if own and step.numbers[2] % 2:
        tablet.client.actions.void_payment(step.pick(1, own), "nhầm")
    elif visits and step.numbers[2] % 4:
        tablet.client.actions.void_entry(step.pick(1, visits), "nhầm")
    elif world.known.enrolments:
        tablet.client.actions.void_entry(step.pick(1, world.known.enrolments)[0], "nhầm")


def void_of_another(world: World, tablet: Tablet, step: Step) -> None:
    """Try to take back what may be somebody else's, as an app with a bug would."""
    targets = [entry for entry, _ in (*world.known.visits, *world.known.payments)]
    if targets:
        body = {"target": step.pick(1, targets), "reason": "nhầm"}
        tablet.client.outbox.append_raw("entry_voided", body)


def answer(world: World, tablet: Tablet, step: Step) -> None:
    """Answer what was sent back; now and then what was not, or what is somebody else's."""
    returned = sorted(each.name for each in tablet.client.projection.returned())
    own = [entry for entry, worker in world.known.visits if worker == tablet.worker]
    replacement = step.pick(2, own) if own and step.numbers[2] % 2 else None
    if returned and step.numbers[3] % 5:
        tablet.client.actions.answer_return(step.pick(1, returned), replacement=replacement)
        world.fire("return_answered")
        return
    targets = [name for name, one in world.oracle.judgement.entries.items() if one.state == "quarantined"]
    targets += [entry for entry, _ in world.known.visits]
    if targets:
        body = {"target": step.pick(1, sorted(targets)), "reply": "withdrawn"}
        tablet.client.outbox.append_raw("return_answered", body)


def bad_entry(world: World, tablet: Tablet, step: Step) -> None:
    """Capture what no sound app captures: it is quarantined alone, and its money counted."""
    outbox = tablet.client.outbox
    bodies: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("visit_recorded", {"area": plan.COMMUNES[0]}, "field_missing"),
        ("hat_worn", {"colour": "red"}, "kind_unknown"),
        ("entry_returned", {"target": tablet.worker, "reason": "?"}, "kind_not_for_devices"),
        ("payment_collected", {"method": "cash", "allocations": [{"amount_vnd": 50_000}]}, "field_missing"),
        ("payment_collected", {"method": "cash", "allocations": "?"}, "field_wrong_type"),
        (
            "household_registered",
            {"area": "99999@2004-01-01", "head_name": "A", "address": "B"},
            "area_unknown",
        ),
    )
    kind, body, code = step.pick(1, bodies)
    appended = outbox.append_text(f"không phải {step.salt}") if step.numbers[2] % 6 == 0 else None
    code = "entry_unreadable" if appended else code
    appended = appended or outbox.append_raw(kind, body)
    world.oracle.known_faults[sha256_of(appended.raw)] = code


def same_id(world: World, tablet: Tablet, step: Step) -> None:
    """Use an id again for something else."""
    ids = [household for household, _ in world.known.households]
    ids += [payment for payment, _ in world.known.payments]
    if ids:
        body = {"area": _area(step, 2), "head_name": f"Trùng {step.salt % 997}", "address": "1"}
        if step.numbers[3] % 2:
            body = {
                "payment": step.pick(1, ids),
                "scheme": "health",
                "method": "cash",
                "allocations": [{"enrolment": step.pick(1, ids), "amount_vnd": 1000 + step.salt % 1000}],
            }
        kind = "payment_collected" if "payment" in body else "household_registered"
        tablet.client.outbox.append_raw(kind, body, step.pick(1, ids))


CAPTURES: dict[str, tuple[int, Callable[[World, Step], None]]] = {
    "register": (8, at_a_door(register)),
    "register_person": (4, at_a_door(register_person)),
    "visit": (7, at_a_door(visit)),
    "install": (3, at_a_door(install)),
    "enrol_person": (4, at_a_door(enrol_person)),
    "pay": (6, at_a_door(pay)),
    "door": (8, at_a_door(door)),
    "amend": (9, at_a_door(amend)),
    "rival_edits": (7, rival_edits),
    "void": (4, at_a_door(void)),
    "void_of_another": (1, at_a_door(void_of_another)),
    "bad_entry": (3, at_a_door(bad_entry)),
    "answer": (3, at_a_door(answer)),
    "same_id": (2, at_a_door(same_id)),
}
