"""What Azure leaves open or takes time for, as switches: the product must hold under each."""

from dataclasses import dataclass, field
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


class FlexibleIdentities(StrEnum):
    """Which instances of a Flexible scale set get the set's identities (U)."""

    NONE = "none"
    NEW = "new"  # those created after
    ALL = "all"  # those that are there too, as soon as the set is patched


class ResourceGraphAnswer(StrEnum):
    """How Resource Graph answers a query: only `FULL` and its pages are the whole truth."""

    FULL = "full"
    TRUNCATED = "truncated"  # the first rows alone: resultTruncated "true" and no $skipToken
    HALF = "half"  # every second row is missing from each page, and totalRecords tells
    HALF_UNTOLD = "half-untold"  # the same, and the totals agree with what is there
    EMPTY = "empty"  # 200 without rows
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 - 400 to every page but the first
    TIMEOUT = "timeout"  # 504 GatewayTimeout
    DENIED = "denied"  # 403 AccessDenied


@dataclass
class Behaviour:
    """Durations in seconds of the simulator's clock. Mutable: tests flip a switch while it runs."""

    operation_seconds: float = 0.0  # a long write or delete; a VM's takes 3 to 7 s in Azure
    operation_spread_seconds: float = 0.0  # it takes up to this much less or more, by chance
    group_delete_seconds: float = 0.0
    # Of each ARM call that is let in, by verb, or by verb and lower-case type (arm/latency.py).
    call_seconds: dict[str, float] = field(default_factory=dict)
    role_propagation_seconds: float = 0.0  # Azure: up to 10 minutes
    directory_lag_seconds: float = 0.0  # a deleted principal still resolves this long
    principal_replication_seconds: float = 0.0  # how long authorization misses a new principal
    resource_graph_lag_seconds: float = 0.0
    resource_graph_answer: ResourceGraphAnswer = ResourceGraphAnswer.FULL
    # Lower-case names of the tables that it is about; all of them when empty.
    resource_graph_answer_tables: set[str] = field(default_factory=set)
    # The most bytes of a page (16 MiB in Azure); 0: they are not counted, which takes time.
    resource_graph_most_bytes: int = 0
    # Lower-case names of tables that the cloud does not have.
    resource_graph_lacks: set[str] = field(default_factory=set)
    group_deletion_events: GroupDeletion = GroupDeletion.BOTH
    write_event: WriteEvent = WriteEvent.COMPLETED
    scope_deletion_removes_assignments: bool = False
    throttling: bool = False  # Azure's published token buckets, on the simulator's clock
    conflict_while_updating: bool = False  # a VM refuses a write during another with 409 Conflict
    # Whether following a long-running operation needs an action of its own at the subscription (U:
    # people whose role is at a resource group get along without, and now and then do not).
    polls_need_rights: bool = False
    # By lower-case resource type, the tag without which Azure Policy denies its PUT.
    denied_without_tag: dict[str, str] = field(default_factory=dict)
    role_assignment_limit: int = 4000  # a subscription's, fixed in Azure
    page_size: int = 1000  # rows a page of lists and of Resource Graph
    # Lower-case resource types whose PATCH replaces the set of user-assigned identities instead of
    # merging (U for all but virtual machines, where merging was recorded).
    identity_patch_replaces: set[str] = field(default_factory=set)
    # Upgrade mode Manual: instances get new identities by `manualupgrade` alone, as documented.
    # False: at once, as aad-pod-identity and Compute's own people tell (U).
    scale_set_identities_need_upgrade: bool = True
    flexible_identities: FlexibleIdentities = FlexibleIdentities.NEW
    container_app_patch_waits: bool = True  # 202 with `location`; else 200 at once (U)
    # Lower-case types of Microsoft.App whose PATCH gives `azure-asyncoperation` beside `location`:
    # apps do since October 2024, jobs have not been seen to (recorded).
    container_app_patch_both_links: set[str] = field(
        default_factory=lambda: {"microsoft.app/containerapps"}
    )
    container_app_identity_makes_revision: bool = False  # whether a change of identities does (U)
    # How long lists of role definitions do not know one that was just made or changed.
    role_definition_lag_seconds: float = 0.0
    # How long a role assignment with a role that was just made or changed is refused.
    role_definition_replication_seconds: float = 0.0
    # How long every other read of a new resource is answered 404, by a replica that is late.
    replica_lag_seconds: float = 0.0
    # Scopes (lower-case ids) at and below which a deny assignment refuses every change.
    denied_scopes: set[str] = field(default_factory=set)
    # Lower-case types whose PUT and PATCH answer as they should and do nothing.
    ignored_writes: set[str] = field(default_factory=set)
    # Lower-case types whose writes take, and whose long-running operation ends as Failed.
    failing_operations: set[str] = field(default_factory=set)
    # How long writes to the apps of a plan are refused with 429 after a write to one of them (U).
    app_service_plan_lock_seconds: float = 0.0
    # Whether a GET of what is not there is answered by its service, in the service's own words,
    # instead of by ARM: people met both (recorded).
    services_answer_not_found: bool = False
    batch_pool_identity_needs_empty: bool = False  # refuse a change while there are nodes (U)
