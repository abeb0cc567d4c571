"""The proof, step by step."""

from collections.abc import Iterator

from prove import app, ground, handler, listening, logs
from prove.machine import Life
from prove.questions import (
    FIRST_403,
    GROUP_EVENTS,
    HANDLER_RIGHT,
    HOST_LOGS,
    MOVE_EVENTS,
    NOTHING_HEARD,
    QUEUE_DELIVERY,
    QUEUE_ENCODING,
    TOPIC_IDENTITY,
    WRITE_EVENTS,
)
from prove.steps import Step


def _ground() -> Iterator[Step]:
    yield Step(name="look", does="look whether the subscription is free for it", run=ground.look)
    yield Step(
        name="providers",
        does="register the resource providers, which stay registered",
        run=ground.register,
        needs=("look",),
    )
    yield Step(
        name="groups",
        does="make four resource groups named rg-lanyard-proof…",
        run=ground.make_groups,
        undone_by="delete them, with everything in them",
        undo=ground.delete_groups,
        needs=("providers",),
    )
    yield Step(
        name="storage",
        does="make a storage account with a blob and a queue, for which you get data roles",
        run=ground.make_storage,
        needs=("groups",),
    )
    yield Step(
        name="network",
        does="make a virtual network and two network interfaces",
        run=ground.make_network,
        needs=("groups",),
    )
    yield Step(
        name="movable",
        does="make two empty storage accounts, to be moved and to be deleted with their group",
        run=listening.make_movable,
        needs=("groups",),
    )


def _app() -> Iterator[Step]:
    yield Step(
        name="deploy",
        does="deploy infra/main.bicep and the package into rg-lanyard-proof-app",
        run=app.deploy,
        undone_by="delete that group and the record of the deployment",
        undo=app.remove_app,
        measures="until Azure lists the app's function",
        needs=("groups",),
    )
    yield Step(
        name="watch-webhook",
        does="let the app watch the subscription, events by webhook",
        run=app.watch_by_webhook,
        undone_by="let it watch no more: event subscriptions, topic, alert, rights, roles",
        undo=app.watch_no_more,
        measures="onboarding",
        asks=(TOPIC_IDENTITY,),
        needs=("deploy",),
    )
    yield Step(
        name="listen",
        does="put all events of the proof's groups into its own queue, too",
        run=listening.listen,
        undone_by="delete that event subscription",
        undo=listening.listen_no_more,
        needs=("watch-webhook", "storage"),
    )


def _life(way: str) -> Iterator[Step]:
    """One machine's, with events by that way."""
    life = Life(way)
    yield Step(
        name=f"create-{way}",
        does="create a virtual machine",
        run=life.create,
        measures="its creation",
        needs=("network", f"watch-{way}"),
    )
    yield Step(
        name=f"attach-{way}",
        does="wait until it has its identity",
        run=life.attach,
        measures="from its creation to its identity",
        asks=(QUEUE_DELIVERY,) if way == "queue" else (),
        needs=(f"create-{way}",),
    )
    yield Step(
        name=f"grant-{way}",
        does="wait until that has its role",
        run=life.grant,
        measures="from its creation to its role",
        needs=(f"attach-{way}",),
    )
    yield Step(
        name=f"read-{way}",
        does="let the machine read the blob",
        run=life.read,
        measures="until a program on it may",
        asks=(FIRST_403,) if way == "webhook" else (),
        needs=(f"grant-{way}", "storage"),
    )
    if way == "queue":
        yield Step(
            name="handler",
            does="let the machine make an event subscription to a queue it has no right on",
            run=handler.try_as_machine,
            undone_by="delete that event subscription and the machine's role",
            undo=handler.take_back,
            asks=(HANDLER_RIGHT,),
            needs=("listen", f"read-{way}"),
        )
    yield Step(
        name=f"delete-{way}",
        does="delete the machine",
        run=life.delete,
        measures="its deletion",
        needs=(f"create-{way}",),
    )
    yield Step(
        name=f"clean-{way}",
        does="wait until its role is taken back",
        run=life.clean,
        measures="from its deletion to that",
        needs=(f"delete-{way}", f"grant-{way}"),
    )


def _after() -> Iterator[Step]:
    yield Step(
        name="move",
        does="move a storage account into another group",
        run=listening.move,
        measures="the move",
        asks=(MOVE_EVENTS,),
        needs=("movable",),
    )
    yield Step(
        name="delete-group",
        does="delete a group with a storage account in it",
        run=listening.delete_group,
        measures="the deletion",
        asks=(GROUP_EVENTS,),
        needs=("movable",),
    )
    yield Step(
        name="events",
        does="wait until no more events come, and read them",
        run=listening.collect,
        measures="how late events are in a queue",
        asks=(WRITE_EVENTS, GROUP_EVENTS, MOVE_EVENTS, QUEUE_ENCODING),
        needs=("listen", "move", "delete-group"),
    )
    yield Step(
        name="logs",
        does="ask the app's workspace what was logged",
        run=logs.ask,
        asks=(HOST_LOGS, NOTHING_HEARD),
        needs=("deploy", "attach-webhook"),
    )


STEPS = (
    *_ground(),
    *_app(),
    *_life("webhook"),
    Step(
        name="watch-queue",
        does="let the same events come by queue",
        run=app.watch_by_queue,
        measures="onboarding",
        needs=("watch-webhook",),
    ),
    *_life("queue"),
    *_after(),
)
