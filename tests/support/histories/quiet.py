"""What must hold once nothing fails, all messages are worked on, and the graces are over."""

from collections.abc import Iterator

from lanyard.planning.contested import MOST_REPAIRS
from lanyard.policy.document import DELETE_AFTER_HOURS
from lanyard.record.held import Answer, Entry
from lanyard.values.errors import Because
from simulator.state import Resource
from tests.support.histories.accounts import LANYARD, attached, system_principal
from tests.support.histories.model import Finding, Model, is_about
from tests.support.histories.places import PEOPLES, PLACES, TYPO, Place, identity_id, place_of
from tests.support.histories.policies import OWN, Need, due
from tests.support.histories.world import World

_HOUR = 3600.0
#: A budget of one removal an hour is through with any history by then.
_MOST_HOURS = 6


async def settle(world: World) -> None:
    """Let everything come to rest: the graces end, sweeps run, the budget of some hours is used."""
    policy = world.model.policy
    await world.work_off()
    world.mail.replay()
    await world.work_off()
    await _sweep(world)
    waits = [policy.grace_minutes * 60.0 + 60]
    if any(rule.identity == OWN for rule in policy.rules) or _has_own(world.model):
        waits.append(policy.delete_after_hours * _HOUR)
    if world.model.circumstances.lost and _has_own(world.model):
        # One that is known again, and that the policy does not name any more.
        waits.append(DELETE_AFTER_HOURS * _HOUR)
    for seconds in waits:
        await world.pass_time(seconds)
        await _sweep(world)
    for _ in range(_MOST_HOURS if policy.per_hour else 1):
        await _resume_its_own_pause(world)
        if not any(_waits_for_an_hour(entry) for entry in await world.held()):
            break
        await world.pass_time(_HOUR)
        await _sweep(world)
    if world.another is not None:
        # It gives again by its next sweep what stood for its own, too, and went here last.
        await _sweep(world)
    world.model.findings += await found(world)


async def found(world: World) -> list[Finding]:
    """What the estate is not, and should be."""
    model, held = world.model, await world.held()
    missing = [
        each for of in model.policies() for each in _missing(model, await world.held(of), of)
    ]
    return [*missing, *_left_over(model, held), *_released(model, held), *_conflicts(model, held)]


async def _sweep(world: World) -> None:
    failure = await world.sweep()
    assert failure is None, f"nothing fails any more, and a sweep did: {failure}"
    await world.work_off()
    world.quiet = True


async def _resume_its_own_pause(world: World) -> None:
    pause = await world.estate.services.kill_switch.read()
    if pause is not None and not world.model.orders.pause:
        world.model.resumed()
        await world.operator.resume()
        await world.work_off()


def _has_own(model: Model) -> bool:
    return any(_owner(identity) for identity in model.accounts.identities)


def _waits_for_an_hour(entry: Entry) -> bool:
    return entry.refusal.because is Because.BUDGET and entry.answer is not Answer.DISMISSED


def _missing(model: Model, held: list[Entry], of: str) -> Iterator[Finding]:
    whose = "" if of == LANYARD else f" by {of}"
    for place, resource in model.living():
        entries = [entry.refusal.key for entry in held if entry.resource.key == place.id]
        for thing in model.missing(place, resource, of, conditions=True):
            if any(is_about(key, thing) for key in entries):
                continue
            promise = "held" if _would_be_held(model, place, resource, thing, of) else "due"
            moved = place.id in model.circumstances.moved
            promise = model.circumstances.missing(promise, moved=moved)
            if isinstance(thing, Need):
                if model.stands(thing, resource):
                    promise = "18.2 drift"
                content = model.principal(thing, resource), thing.role, thing.scope
                if content in model.accounts.foreign_needs:
                    promise = "17.5 watched"
            yield Finding(promise, f"{place.name} has no {thing}{whose}, and nobody is told")


def _would_be_held(
    model: Model, place: Place, resource: Resource, thing: str | Need, of: str
) -> bool:
    """Whether the policy itself keeps this from being given."""
    policy, identity = model.policies()[of], thing.identity if isinstance(thing, Need) else thing
    only_one = len(attached(resource)) == 1 and not system_principal(resource)
    new = identity not in attached(resource)
    return (
        policy.mode == "observe"
        or thing in due(policy, resource).observed
        or identity == identity_id(TYPO)
        or (place.is_web and policy.restart == "avoid" and new)
        or (not place.is_web and policy.imds == "hold" and only_one and new)
        or (identity in map(identity_id, PEOPLES) and identity not in model.accounts.identities)
    )


def _left_over(model: Model, held: list[Entry]) -> Iterator[Finding]:
    keys = {entry.refusal.key for entry in held}
    promise = "nobody" if model.policy.mode == "full" else "held"
    moved = bool(model.circumstances.moved)
    promise = model.circumstances.left(promise, moved=moved)
    for seen in (*_attachments_left(model, keys), *_assignments_left(model, keys)):
        yield Finding(promise, seen)
    again = "17.3 known again" if promise == "17.3 left over" else promise
    for seen in _identities_left(model, keys):
        yield Finding(again, seen)


def _attachments_left(model: Model, keys: set[str]) -> Iterator[str]:
    for place, resource in model.living():
        if model.circumstances.hidden and place.id in model.circumstances.moved:
            continue
        wanted = due(model.policy, resource).gives.identities
        for identity in attached(resource).keys() - wanted:
            ours = model.accounts.attached[place.id, identity] == LANYARD
            kept = identity in model.kept(place, resource)
            told = f"detach identity|{identity}" in keys
            known = (place.id, identity) not in model.circumstances.unknown_attachments
            if (
                ours
                and known
                and not kept
                and not told
                and not model.looks[LANYARD].was_deceived(place)
            ):
                yield f"{place.name} still has {identity}, which no rule gives"


def _assignments_left(model: Model, keys: set[str]) -> Iterator[str]:
    needed = {
        (model.principal(need, resource), need)
        for place, resource in model.living()
        for need in (
            *due(model.policy, resource).gives.needs,
            # What was given before it was excluded stays, attached or not.
            *due(model.policy, resource).keeps.needs,
            *(each for each in model.kept(place, resource) if isinstance(each, Need)),
        )
    }
    for key, given in model.accounts.given.items():
        principal = model.azure.state.role_assignments[key].principal_id
        content = f"|{given.need.scope}|{given.need.role}|{principal}"
        told = any(each.endswith((content, f"|{principal}")) for each in keys)
        ours = given.maker == LANYARD and not given.editor
        rows_lost = model.circumstances.lost or model.circumstances.put_back
        if rows_lost and given.need.identity not in model.accounts.identities:
            # Whether the dead one was ever Lanyard's to look after was in the lost rows. It goes
            # when somebody makes the identity that is listed as missing, or no rule wants it.
            told = told or f"attach identity|{given.need.identity}" in keys
        if ours and (principal, given.need) not in needed and not told:
            yield f"{given.need} still stands, and no living resource needs it"


def _identities_left(model: Model, keys: set[str]) -> Iterator[str]:
    for identity, maker in model.accounts.identities.items():
        owner = _owner(identity)
        if maker != LANYARD or owner is None or f"delete identity|{identity}" in keys:
            continue
        used = {
            each
            for place, resource in model.living()
            for each in (
                *due(model.policy, resource).gives.identities,
                # What was made for it stays while it is excluded, attached or not.
                *due(model.policy, resource).keeps.identities,
                *model.kept(place, resource),
                *attached(resource),
            )
        }
        unknown = model.circumstances.unknown_identities | model.accounts.contested
        if identity not in used and identity not in unknown:
            yield f"{identity} is still there, and nothing needs it"


def _released(model: Model, held: list[Entry]) -> Iterator[Finding]:
    for entry in held:
        if entry.full_id in model.released and entry.answer is Answer.NONE:
            place = place_of(entry.resource.key)
            where = place.name if place is not None else str(entry.resource)
            yield Finding("16.7 release", f"{entry.refusal.action} of {where} is held again")


def _conflicts(model: Model, held: list[Entry]) -> Iterator[Finding]:
    for entry in held:
        if entry.refusal.because is Because.CONFLICT and model.accounts.takings <= MOST_REPAIRS:
            seen = f"{entry.refusal.action}, after {model.accounts.takings} takings away"
            yield Finding("18.4 taken away", seen)


def _owner(identity: str) -> str | None:
    return next((name for name, place in PLACES.items() if place.own == identity), None)
