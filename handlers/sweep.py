"""Every hour the whole estate is looked over: this bounds how late a lost event is made up for."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger("lanyard.sweep")


@blueprint.timer_trigger(arg_name="timer", schedule="0 17 * * * *", run_on_startup=False)
async def sweep(timer: func.TimerRequest, context: func.Context) -> None:
    """What was lost goes back on the queue, then one sweep. Where a listing fails it raises, the
    host records it, and the next hour tries.
    """
    from lanyard.app.composition import sweeping_app
    from lanyard.sweep.report import describe
    from lanyard.telemetry import within

    with within(context.trace_context.trace_parent):
        at_work = await sweeping_app()
        try:
            await at_work.lost_attempts.put_back()
        finally:  # a queue that cannot be read keeps no sweep from its work
            report = await at_work.sweeps.run_alone()
            if report is not None:
                log.info("%s%s", describe(report), " (late)" if timer.past_due else "")
