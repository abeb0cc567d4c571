"""Every five minutes: is a policy in force that no sweep has looked over yet? Then one does so now.

What a new version would do is on record within minutes, then, and its removals wait no longer than
that. The first policy of an app counts, too: what was there before Lanyard came gets its look.
Where no sweep is due, custom roles are looked at: nothing reports that one became privileged.
"""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger("lanyard.sweep")


@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
async def policy_changes(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001
    """One look. Where the sweep fails it raises, the host records it, and the next look tries."""
    from lanyard.app.composition import sweeping_app
    from lanyard.sweep.report import describe
    from lanyard.telemetry import within

    with within(context.trace_context.trace_parent):
        report = await (await sweeping_app()).sweeps.run_for_new_policy()
    if report is not None:
        log.info("%s (the policy is new)", describe(report))
