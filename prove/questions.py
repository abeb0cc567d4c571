"""What is not known of Azure until somebody runs the proof: each is marked U, not verified, in what
the project was built on, is a switch of the local Azure or a test of the app's, and the app works
with either answer.
"""

from collections.abc import Mapping

TOPIC_IDENTITY = "topic-identity"
QUEUE_DELIVERY = "queue-delivery"
QUEUE_ENCODING = "queue-encoding"
WRITE_EVENTS = "write-events"
GROUP_EVENTS = "group-deletion-events"
MOVE_EVENTS = "move-events"
HANDLER_RIGHT = "handler-right"
FIRST_403 = "first-403"
HOST_LOGS = "host-logs"
NOTHING_HEARD = "nothing-heard"

QUESTIONS: Mapping[str, str] = {
    TOPIC_IDENTITY: "Does a system topic of a subscription, which is global, take an identity?",
    QUEUE_DELIVERY: "Do events reach a queue as that identity, and how soon?",
    QUEUE_ENCODING: "Are messages that Event Grid puts into a queue in base64?",
    WRITE_EVENTS: "How many events of writes does one new machine raise?",
    GROUP_EVENTS: "Does a deleted resource group raise a deletion for each resource in it?",
    MOVE_EVENTS: "Which events does the move of a resource raise?",
    HANDLER_RIGHT: "Which action is asked of who makes an event subscription to a queue?",
    FIRST_403: "For how long is a fresh role assignment answered with 403?",
    HOST_LOGS: "Do the app's log lines come to the workspace as the alerts' queries expect?",
    NOTHING_HEARD: "Does the query of the alert nothing-heard give a row where nothing was heard?",
}
