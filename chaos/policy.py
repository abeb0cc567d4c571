"""The policy of the storm, in the editions that follow one another while it goes on.

chaos/oracle.py says the same in its own words; change both.
"""

from dataclasses import dataclass

#: Seconds that what is not wanted any more stays: longer than a mistyped policy is in force.
GRACE = 20.0
#: On which all compute reads the blobs of its group.
CONDITION = "@Resource[Microsoft.Storage/storageAccounts:name] StringNotEquals 'secrets'"
#: Of the identities that are made for one resource.
TAGS = {"made-by": "storm"}
#: Seconds that an identity made for one resource is kept when that does not need it any more.
DELETE_AFTER = 30.0


@dataclass(frozen=True)
class Edition:
    """What one edition of the policy says otherwise than the next."""

    #: How the identity that all compute shares is named, before the location.
    regional: str = "id-lanyard"
    #: The group that the teams read.
    team_group: str = "rg-other"
    #: The groups whose resources all rules are for.
    groups: str = "rg-storm-*"


FIRST = Edition()

_BASE = """\
version: 1
mode: full
limits: {removals: {perHour: 100000, percent: 100, graceMinutes: %(grace)s}}
orphans: {graceMinutes: 0}
identities:
  regional: {name: "%(regional)s-{location}", resourceGroup: rg-identities}
  own:
    name: "id-{resource.name}"
    per: resource
    deleteAfterHours: %(delete_after)s
    tags: {made-by: storm}
rules:
  - name: all compute reads the blobs of its group
    match:
      types: &types
        - Microsoft.Compute/virtualMachines
        - Microsoft.Web/sites
        - Microsoft.App/containerApps
      scopes: &groups ["/subscriptions/*/resourceGroups/%(groups)s"]
      exclude: &ignored {tags: {lanyard: ignore}}
    attach: [regional]
    grant:
      - role: Storage Blob Data Reader
        scope: "{resourceGroup}"
        to: regional
        condition: "%(condition)s"
    imdsDefault: accept
  - name: some have an identity of their own
    match: {types: *types, scopes: *groups, tags: {own: "yes"}, exclude: *ignored}
    attach: [own]
    grant:
      - {role: Reader, scope: "{resourceGroup}", to: own}
    imdsDefault: accept
  - name: some have the one that Azure makes
    match: {types: *types, scopes: *groups, tags: {system: "yes"}, exclude: *ignored}
    system: true
    grant:
      - {role: Reader, scope: "{resourceGroup}", to: system}
    imdsDefault: accept
"""
_TEAM_IDENTITY = """\
  %(team)s: {name: "id-team-%(team)s-{location}", resourceGroup: rg-identities}
"""
_TEAM_RULE = """\
  - name: team %(team)s reads the shared group
    match: {types: *types, scopes: *groups, tags: {team: %(team)s}, exclude: *ignored}
    attach: [%(team)s]
    grant:
      - role: Reader
        scope: "/subscriptions/{subscription}/resourceGroups/%(team_group)s"
        to: %(team)s
    imdsDefault: accept
"""


def policy_text(teams: int, edition: Edition = FIRST) -> str:
    """The policy file, with an identity and a rule for each of so many teams (t0, t1, …)."""
    names = [f"t{number}" for number in range(teams)]
    identities = "".join(_TEAM_IDENTITY % {"team": name} for name in names)
    group = edition.team_group
    rules = "".join(_TEAM_RULE % {"team": name, "team_group": group} for name in names)
    head, _, base_rules = (_BASE % _values(edition)).partition("rules:\n")
    return f"{head}{identities}rules:\n{base_rules}{rules}"


def _values(edition: Edition) -> dict[str, object]:
    return {
        "regional": edition.regional,
        "groups": edition.groups,
        "condition": CONDITION,
        "grace": GRACE / 60,
        "delete_after": DELETE_AFTER / 3600,
    }
