"""What Azure leaves open or takes time for, as switches: the product must hold under each."""

from dataclasses import dataclass
from enum import StrEnum


class GroupDeletion(StrEnum):
    """Which delete events a deleted resource group raises (undocumented: every answer is here)."""

    EACH = "each"
    GROUP_ONLY = "group-only"
    BOTH = "both"


class WriteEvent(StrEnum):
    """When a long create or update raises its write event (undocumented)."""

    ACCEPTED = "accepted"
    COMPLETED = "completed"
    BOTH = "both"


@dataclass
class Behaviour:
    """Durations in seconds of the simulator's clock. Mutable: tests flip a switch while it runs."""

    operation_seconds: float = 0.0  # a VM's write or delete; Azure takes 3 to 7 s
    group_delete_seconds: float = 0.0
    role_propagation_seconds: float = 0.0  # Azure: up to 10 minutes
    directory_lag_seconds: float = 0.0  # a deleted principal still resolves this long
    principal_replication_seconds: float = 0.0  # how long authorization misses a new principal
    resource_graph_lag_seconds: float = 0.0
    group_deletion_events: GroupDeletion = GroupDeletion.BOTH
    write_event: WriteEvent = WriteEvent.COMPLETED
    scope_deletion_removes_assignments: bool = False
    throttling: bool = False  # Azure's published token buckets, on the simulator's clock
    conflict_while_updating: bool = False  # a VM refuses a write during another with 409 Conflict
    role_assignment_limit: int = 4000  # a subscription's, fixed in Azure
    page_size: int = 1000  # rows a page of lists and of Resource Graph
