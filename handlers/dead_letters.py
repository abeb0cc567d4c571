"""Every hour what Event Grid could not deliver, and events that the host gave up, are put on the
queue of work after all.

A timer, because Flex Consumption has no polling blob trigger. Poison messages are only counted: a
person looks first at what failed for an hour and more (what never failed is the sweep's).
"""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger("lanyard.replay")


@blueprint.timer_trigger(arg_name="timer", schedule="0 47 * * * *", run_on_startup=False)
async def dead_letters(timer: func.TimerRequest) -> None:
    """One look. Where the storage fails it raises, the host records it, and the next hour tries."""
    from lanyard.app.composition import connected, decisions
    from lanyard.app.lost_events import put_back_events
    from lanyard.queue.replay import describe, replay

    storage = connected().storage
    found = await replay(storage.dead_letters, storage.queue.put, dry_run=False)
    log.info("%s%s", describe(found), " (late)" if timer.past_due else "")
    await put_back_events(storage.lost_events, storage.queue.put, decisions())
    if poisoned := await storage.poison.count():
        log.warning("%d messages failed too often and are in the poison queue", poisoned)
