"""The sections of a scan's page: each a picture or a table of a part of the document."""

from collections.abc import Sequence
from typing import Any

from lanyard.cli.frame.charts import Bar, Column, Part, columns, legend, meter, stacked_bars
from lanyard.cli.frame.data_tables import Cell, Line, data_table, text
from lanyard.cli.frame.figures import figure, resolved
from lanyard.cli.frame.html import escaped, none_found, section, tag
from lanyard.cli.scan.page_tables import assignment_table, identity_table, resource_table, table
from lanyard.cli.scan.words import Places
from lanyard.desk.scan.report import SHARED_FROM
from lanyard.sweep.listings import LIMIT, NEAR_LIMIT

type Json = dict[str, Any]

# More bars than these are no picture; the table below has them all.
_MOST_BARS = 20
_COMPUTE = {
    "none": "no identity",
    "system": "system-assigned",
    "user": "user-assigned",
    "both": "both",
}
_HOLDERS = {
    "systemAssigned": "system-assigned identities",
    "userAssigned": "user-assigned identities",
    "application": "applications",
    "user": "people",
    "group": "groups",
    "unknown": "unknown to the directory",
    "undetermined": "not determined",
}
_HOLDER = {
    "systemAssigned": "system-assigned identity",
    "userAssigned": "user-assigned identity",
    "application": "application",
    "user": "person",
    "group": "group",
    "unknown": "unknown to the directory",
    "undetermined": "not determined",
}
# So many resources that have an identity are named.
_FEW = 3
# The style sheet's names where the document's mean something else there.
_STYLES = {"user": "people", "group": "groups"}
_HEAT = 5


def compute(document: Json) -> str:
    """Compute by type, and what identities it has."""
    bars = [
        Bar(
            _cut(row["type"].removeprefix("Microsoft.")),
            row["type"],
            [
                Part(row[key], key, words, f"/compute/{number}/{key}")
                for key, words in _COMPUTE.items()
            ],
        )
        for number, row in enumerate(document["compute"][:_MOST_BARS])
    ]
    picture = stacked_bars("Compute by type and identity", bars)
    lead = "Compute resources by type, and the managed identities that they have."
    return section("Compute and its identities", lead, legend(_COMPUTE) + picture)


def without_identity(document: Json) -> str:
    """Each compute resource that has none, by name."""
    content = none_found("There is none.")
    if document["withoutIdentity"]:
        content = resource_table(document, "/withoutIdentity")
    count = figure(document, "/summary/withoutIdentity")
    lead = tag("p", f"{count} compute resources have no managed identity.", class_="lead")
    return section("Compute without an identity", "", lead + content)


def subscriptions(document: Json) -> str:
    """Who holds the role assignments of each subscription, and how near its limit it is."""
    used = _used_holders(document)
    rows = list(enumerate(document["subscriptions"]))
    most = sorted(rows, key=lambda row: -row[1]["assignments"])[:_MOST_BARS]
    bars = [
        Bar(
            _cut(_name(row)),
            f"{_name(row)} ({row['id']})",
            _held(row["holders"], used, f"/subscriptions/{number}/holders"),
        )
        for number, row in most
    ]
    above = document["aboveSubscriptions"]
    if above["assignments"]:
        parts = _held(above["holders"], used, "/aboveSubscriptions/holders")
        name = "above subscriptions"
        bars.append(Bar(name, "management groups and the tenant's root", parts))
    picture = stacked_bars("Role assignments by subscription and holder", bars)
    lead = "All role assignments at and below each subscription, by who holds them."
    content = _holder_legend(used) + picture + _limits(document, rows)
    return section("Who holds what, by subscription", lead, content)


def _used_holders(document: Json) -> dict[str, str]:
    every = [*document["subscriptions"], document["aboveSubscriptions"]]
    return {
        kind: words
        for kind, words in _HOLDERS.items()
        if any(row["holders"][kind] for row in every)
    }


def _held(holders: Json, used: dict[str, str], pointer: str) -> list[Part]:
    return [
        Part(holders[kind], _STYLES.get(kind, kind), words, f"{pointer}/{kind}")
        for kind, words in used.items()
    ]


def _limits(document: Json, rows: Sequence[tuple[int, Json]]) -> str:
    lines = []
    for number, row in rows:
        pointer = f"/subscriptions/{number}/assignments"
        style = "bad-fill" if row["assignments"] >= NEAR_LIMIT else "calm-fill"
        used = meter(row["assignments"], row["limit"], pointer, style)
        name = tag("span", escaped(_name(row)), title=row["id"])
        share = f"{row['assignments'] / row['limit']:.0%}"
        lines.append([name, figure(document, pointer), f"{used} {share}"])
    return table("Subscriptions", ["subscription", "#assignments", f"of {LIMIT:,}"], lines)


def matrix(document: Json) -> str:
    """Compute by subscription and type."""
    types = [row["type"] for row in document["compute"][:8]]
    lines = []
    for number, row in enumerate(document["subscriptions"]):
        at = {each["type"]: place for place, each in enumerate(row["compute"])}
        cells = [
            _heat(document, f"/subscriptions/{number}/compute/{at[kind]}") if kind in at else ""
            for kind in types
        ]
        if at:
            lines.append([tag("span", escaped(_name(row)), title=row["id"]), *cells])
    title = "By subscription and type"
    heads = ["subscription", *(f"#{kind.rpartition('/')[2]}" for kind in types)]
    lead = (
        "How much compute there is, and how much of it has no identity: the deeper the colour, the "
        "larger that share."
    )
    return section(title, lead, table(title, heads, lines, "heat"))


def _heat(document: Json, pointer: str) -> str:
    row = resolved(document, pointer)
    share = row["none"] / row["total"]
    without = f"{figure(document, pointer + '/none')} without"
    return tag(
        "span",
        figure(document, pointer + "/total") + tag("small", without if row["none"] else ""),
        class_=f"cell heat-{round(share * _HEAT)}",
    )


_GIVERS = {
    "lanyard": "Lanyard",
    "anotherLanyard": "another Lanyard",
    "putBack": "kept by a person, by an undo",
    "others": "not Lanyard's",
}


def access(document: Json) -> str:
    """Who has which role where, who gave it and since when: every assignment."""
    places = Places(document)
    heads = ("who", "role", "where", "given by", "#since")
    lines = [_access_line(row, places) for row in document["access"]]
    lead = (
        "Every role assignment. Find who can read something by its name; an assignment at what is "
        "above it counts for it, too."
    )
    if document["record"] is not None:
        lead += " By which rule it was given is what the app has on record."
    if document["record"] and (damaged := len(document["record"]["damaged"])):
        lead += f" {damaged} of its rows cannot be read (lanyard status): their rules are missing."
    return section("Who has what", lead, data_table("Who has what", heads, lines))


def _access_line(row: Json, places: Places) -> Line:
    users = [places.within(one) for one in row["users"]]
    created = row["created"] or ""
    ids = (row["principalId"], row["assignment"], row["scope"], row["role"]["id"])
    found = (*ids, row["holder"]["resource"] or "", *row["users"])
    condition = f"only where {' '.join(row['condition'].split())}" if row["condition"] else ""
    return Line(
        (
            _who(row, users, places),
            text(row["role"]["name"], row["privileged"] or "", condition, style="why"),
            text(places.full(row["scope"]), row["level"], title=row["scope"]),
            text(_GIVERS[row["giver"]], _why(row)),
            Cell(tag("time", created[:10], datetime=created) if created else "", created),
        ),
        " ".join(found),
    )


def _why(row: Json) -> str:
    """By which rules it was given, and those that ask for it besides."""
    also = [rule for rule in row["rules"] if rule not in row["givenBy"]]
    by = f"by rule: {'; '.join(row['givenBy'])}" if row["givenBy"] else ""
    asking = f"asked for by rule: {'; '.join(also)}" if also else ""
    return ", ".join(filter(None, (by, asking)))


def _who(row: Json, users: Sequence[str], places: Places) -> Cell:
    resource, kind = row["holder"]["resource"], _HOLDER[row["holder"]["kind"]]
    shown = ", ".join(users[:_FEW]) + (f" and {len(users) - _FEW:,} more" if users[_FEW:] else "")
    if resource is None:
        return text(row["principalId"], kind)
    below = f"{kind}, on {shown}" if row["holder"]["kind"] == "userAssigned" and shown else kind
    return text(places.full(resource), below, title=resource)


def roles(document: Json) -> str:
    """The roles that managed identities hold."""
    managed = {kind: _HOLDERS[kind] for kind in ("systemAssigned", "userAssigned")}
    bars = [
        Bar(
            _cut(row["name"]),
            f"{row['name']} ({row['id']})",
            _held(row["holders"], managed, f"/roles/{number}/holders"),
        )
        for number, row in enumerate(document["roles"][:_MOST_BARS])
    ]
    picture = stacked_bars("Roles that managed identities hold", bars)
    return section(
        "What managed identities hold",
        "The roles most assigned to them.",
        _holder_legend(managed) + picture
        if bars
        else none_found("No managed identity holds a role."),
    )


def orphans(document: Json) -> str:
    """The orphaned assignments by age, or why it is not known which they are."""
    orphans = document["orphans"]
    title = "Orphaned role assignments"
    if not orphans["determined"]:
        count = figure(document, "/orphans/undetermined")
        headline = tag("strong", "Not determined: the directory could not be asked.")
        reason = tag("p", escaped(orphans["reason"]))
        may = (
            f"{count} assignments are of service principals that no resource shows. Which of them "
            "are orphaned only the directory knows: scan again as a member of the tenant, or "
            "with Directory.Read.All."
        )
        return section(title, "", tag("div", headline + reason + tag("p", may), class_="notice"))
    lead = (
        "Their principal is unknown to the directory, and no resource that can be read shows it. "
        "By the age of the assignment; since when it is orphaned, nobody records."
    )
    ages = [
        Column(
            each["age"],
            [Part(each["count"], "unknown", "orphaned", f"/orphans/byAge/{number}/count")],
        )
        for number, each in enumerate(orphans["byAge"])
    ]
    if not orphans["assignments"]:
        return section(title, lead, none_found("There is none."))
    proof = "; ".join(orphans["assignments"][0]["evidence"])
    evidence = tag("p", tag("b", "Evidence: ") + escaped(f"{proof}."), class_="evidence")
    picture = columns("Orphaned assignments by age", ages) + evidence
    return section(title, lead, picture + assignment_table(document, "/orphans/assignments"))


def privileged(document: Json) -> str:
    """The assignments by which managed identities could give themselves more."""
    lead = (
        "Whoever controls the resource can use what its identity holds. These could give "
        "themselves more, or act as others."
    )
    content = none_found("There is none.")
    if document["privileged"]:
        content = assignment_table(document, "/privileged")
    return section("Privileged assignments of managed identities", lead, content)


def identities(document: Json) -> str:
    """User-assigned identities that nothing has, and those that much has."""
    identities = document["identities"]
    unused, shared = none_found("There is none."), none_found("There is none.")
    if identities["unused"]:
        unused = identity_table(document, "/identities/unused")
    if identities["shared"]:
        shared = identity_table(document, "/identities/shared", uses=True)
    federated = "A federated credential may still use them: look before you delete."
    lead = "What one resource can do with it, every other one that has it can do."
    lone = f"{figure(document, '/summary/unusedIdentities')} attached to nothing"
    many = figure(document, "/summary/sharedIdentities")
    many += f" shared by {SHARED_FROM} resources or more"
    left = tag("h3", lone) + tag("p", federated) + unused
    right = tag("h3", many) + tag("p", lead) + shared
    content = tag("div", tag("div", left) + tag("div", right), class_="pair")
    return section("User-assigned identities", "", content)


def policy(document: Json) -> str:
    """What the policy would change, in numbers."""
    words = {
        "changed": "resources would be changed",
        "create": "identities made",
        "attach": "identities attached",
        "enable": "system-assigned identities enabled",
        "assign": "roles assigned",
        "upgrade": "scale sets brought up to date",
        "held": "actions held, with a reason",
        "waiting": "identities missing",
        "impossible": "wishes that cannot be fulfilled",
        "unchanged": "resources as the policy says",
    }
    lines = [
        [escaped(label), figure(document, f"/policy/{name}")]
        for name, label in words.items()
        if document["policy"][name]
    ]
    title = "What the policy would change"
    lead = (
        f"Mode {document['policy']['mode']}. By the listing: no resource was read by itself. "
        "lanyard plan reads each, and names every change."
    )
    lead = ". ".join([lead.rstrip("."), *document["policy"]["subscriptionNotes"], ""]).rstrip()
    return section(title, lead, table(title, ["", "#number"], lines))


def _holder_legend(kinds: dict[str, str]) -> str:
    return legend({_STYLES.get(kind, kind): words for kind, words in kinds.items()})


def _name(subscription: Json) -> str:
    return str(subscription["name"] or subscription["id"])


def _cut(name: str, most: int = 32) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
