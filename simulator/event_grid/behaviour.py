"""What Event Grid may do to an event on its way, and the shapes its payload may take."""

from dataclasses import dataclass


@dataclass
class EventGridBehaviour:
    """Mutable: tests flip a switch while it runs. Durations in seconds of the simulator's clock.

    Probabilities (0 to 1) are drawn from the seeded generator, once for each event and
    event subscription.
    """

    duplicate_probability: float = 0.0  # the event is delivered twice
    loss_probability: float = 0.0  # never delivered; Azure promises this does not happen
    reorder_probability: float = 0.0  # waits `reorder_seconds`, so that later events overtake it
    reorder_seconds: float = 5.0
    delay_seconds: float = 0.0  # before the first attempt of each event
    retry_jitter: float = 0.05  # "a small randomization": this share is added at most
    dead_letter_delay_seconds: float = 0.0  # after the last attempt; Azure: 300
    http_request_on_put: bool = False  # documented for updates and deletes only
    strings_in_data: bool = False  # dataVersion "" with `authorization` and `claims` as text
    queue_messages_plain: bool = False  # the documents' form; what was seen is base64
    app_stopped: bool = False  # the platform answers webhooks 403 in the app's place
    asks_write_on_handler: bool = False  # documented, but not which action is asked
    handler_is_the_queue: bool = False  # it is asked of the queue itself, not of its account
    global_identity_refused: bool = False  # on topics of subscriptions, as until 2021 (U)
    lower_case_resource_groups: bool = False  # "/resourcegroups/" in subject, scope and resourceUri
