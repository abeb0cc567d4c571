"""The policy of the storm. chaos/oracle.py says the same in its own words; change both."""

_BASE = """\
version: 1
mode: full
limits: {removals: {perHour: 100000, percent: 100}}
orphans: {graceMinutes: 0}
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-identities}
  own: {name: "id-{resource.name}", per: resource}
rules:
  - name: all compute reads the blobs of its group
    match:
      types: &types
        - Microsoft.Compute/virtualMachines
        - Microsoft.Web/sites
        - Microsoft.App/containerApps
      scopes: &groups ["/subscriptions/*/resourceGroups/rg-storm-*"]
      exclude: &ignored {tags: {lanyard: ignore}}
    attach: [regional]
    grant:
      - {role: Storage Blob Data Reader, scope: "{resourceGroup}", to: regional}
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
  %s: {name: "id-team-%s-{location}", resourceGroup: rg-identities}
"""
_TEAM_RULE = """\
  - name: team %s reads the shared group
    match: {types: *types, scopes: *groups, tags: {team: %s}, exclude: *ignored}
    attach: [%s]
    grant:
      - {role: Reader, scope: "/subscriptions/{subscription}/resourceGroups/rg-other", to: %s}
    imdsDefault: accept
"""


def policy_text(teams: int) -> str:
    """The policy file, with an identity and a rule for each of so many teams (t0, t1, …)."""
    names = [f"t{number}" for number in range(teams)]
    identities = "".join(_TEAM_IDENTITY % (name, name) for name in names)
    rules = "".join(_TEAM_RULE % ((name,) * 4) for name in names)
    head, _, base_rules = _BASE.partition("rules:\n")
    return f"{head}{identities}rules:\n{base_rules}{rules}"
