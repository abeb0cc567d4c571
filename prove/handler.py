"""Which right Event Grid asks for on a queue, tried by somebody who has none: the machine."""

import re

from lanyard.desk.onboarding.parts import AUTHORIZATION, EVENT_GRID
from lanyard.desk.onboarding.template import assignment_id, guid
from lanyard.values.roles import role_id
from prove.listening import to_queue
from prove.machine import Answer, as_machine
from prove.proof import Proof
from prove.questions import HANDLER_RIGHT

# May do all of Event Grid, and has no right on a handler. (EventGrid EventSubscription Contributor
# does not reach what is below a system topic.)
_CONTRIBUTOR = role_id("EventGrid Contributor") or ""
_NAME = "lanyard-proof-handler"
_ACTION = re.compile(r"Microsoft\.\w+(?:/\w+)+/(?:write|action)", re.IGNORECASE)
_OWN = "microsoft.eventgrid/"


async def try_as_machine(proof: Proof) -> None:
    """Let the machine make an event subscription to the proof's queue, and see what it lacks."""
    topic, principal = proof.journal.values["topic"], proof.journal.values["principal-queue"]
    await proof.assign(_CONTRIBUTOR, principal, topic)
    asked = {
        "audience": proof.arm_audience,
        "method": "PUT",
        "url": f"{proof.arm_url}{topic}/eventSubscriptions/{_NAME}?api-version={EVENT_GRID}",
        "headers": {"Content-Type": "application/json"},
        "body": {"properties": to_queue(proof)},
    }

    async def in_force() -> bool:
        answer = await as_machine(proof, "queue", asked)
        told = said_of(answer)
        if told:
            proof.answer(HANDLER_RIGHT, told)
        return bool(told)

    await proof.until("Event Grid answers the machine", in_force)


def said_of(answer: Answer) -> str:
    """What an answer says of the right; "" while the machine's own role does not count yet."""
    if answer.status < 300:
        return "none: it is made without any right on the queue or its account"
    action = next(iter(_ACTION.findall(answer.text)), "")
    if answer.status in (400, 401, 403) and (not action or action.lower().startswith(_OWN)):
        return "" if answer.status != 400 else f"it is refused with {answer.status}: {answer.text}"
    return f"{action or answer.text} ({answer.status})"


async def take_back(proof: Proof) -> None:
    """The event subscription, if one was made, and the machine's role."""
    values = proof.journal.values
    topic, principal = values["topic"], values["principal-queue"]
    await proof.resources.delete(f"{topic}/eventSubscriptions/{_NAME}", EVENT_GRID)
    name = guid(topic, principal, _CONTRIBUTOR)
    await proof.resources.delete(assignment_id(topic, name), AUTHORIZATION)
