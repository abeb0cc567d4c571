"""Histories by chance: short, over few names, and mostly about what is there, so that what happens
meets.
"""

from dataclasses import replace

from hypothesis import strategies as st

from tests.support.histories import steps as s
from tests.support.histories.mail import Fate
from tests.support.histories.places import GROUPS, PEOPLES, SHARED, SYSTEM, TYPO
from tests.support.histories.play import History
from tests.support.histories.policies import OWN, Policy, Rule, is_sound

_NAMES = st.sampled_from(
    ["vm1", "vm1", "vm1", "vm1", "vm2", "vm2", "vm1@shop", "vm3", "web1", "web1/staging"]
)
_MOVABLE = ["vm1", "vm1", "vm1@shop", "vm2", "web1"]
#: The tables whose rows an operator may delete: a damaged one, as its message says.
_ROWS = ["resources", "resources", "grants", "grants", "identities"]
_APPS = st.sampled_from(["web1", "web1", "web1/staging"])
#: What can be attached by hand: the identity of one resource alone, too.
_HANDY = st.sampled_from([SHARED, SHARED, "own:vm1", "own:vm1@shop", *PEOPLES, *PEOPLES])
_SHOP, _IGNORE = (("app", "shop"),), (("lanyard", "ignore"),)
_TAGS = st.sampled_from([_SHOP, (), _IGNORE, _SHOP + _IGNORE])
_FATES = st.sampled_from([Fate.COME, Fate.COME, Fate.COME, Fate.LOST, Fate.LATE, Fate.TWICE])
_BY = st.sampled_from([s.ANNA, s.TERRAFORM])
_SECONDS = st.sampled_from([30.0, 1.0, 50.0, 300.0])
_ROLES = st.sampled_from(
    [("blobs",), ("blobs",), ("blobs", "reader"), ("reader",), ("reader", "rights"), ()]
)
_ON = st.sampled_from(["", "", "", "one", "two"])
_IDENTITIES = [SHARED, OWN, "id-old", "id-new", SYSTEM, TYPO]
_RULES = st.builds(
    Rule,
    of=st.sampled_from(["vm", "vm", "vm", "web"]),
    identity=st.sampled_from([*_IDENTITIES, SHARED, OWN, "id-old"]),
    roles=_ROLES,
    scope=st.sampled_from(["group", "group", "resource"]),
    tagged=st.booleans(),
    groups=st.sampled_from([(), (), (), ("rg-app",)]),
    on=_ON,
    how=st.sampled_from(["full", "full", "full", "full", "observe", "add-only"]),
)
_POLICIES = st.builds(
    Policy,
    rules=st.lists(_RULES, min_size=1, max_size=2, unique=True).map(tuple),
    mode=st.sampled_from(["full", "full", "full", "full", "full", "add-only"]),
    per_hour=st.sampled_from([50, 50, 50, 1, 3]),
    percent=st.sampled_from([100, 100, 10]),
    grace_minutes=st.sampled_from([10, 10, 0]),
    delete_after_hours=st.sampled_from([24, 1, 0]),
    imds=st.sampled_from(["accept", "accept", "hold"]),
    restart=st.sampled_from(["accept", "accept", "avoid"]),
).filter(is_sound)
#: What is changed in a policy: members of its first rule, or of itself. "rg-typo" matches nothing.
_CHANGES: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [
        *({"identity": identity} for identity in _IDENTITIES),
        *({"roles": roles} for roles in (("blobs",), ("reader",), ())),
        {"groups": ("rg-typo",)},
        {"groups": ("rg-app",)},
        {"groups": ()},
        {"tagged": True},
        {"tagged": False},
        {"scope": "resource"},
        {"on": ""},
        {"on": "one"},
        *({"how": mode} for mode in ("observe", "add-only", "full")),
        {"mode": "observe"},
        {"mode": "add-only"},
        {"mode": "full"},
        {"per_hour": 0},
        {"per_hour": 1},
        {"imds": "hold"},
        {"restart": "avoid"},
        {"rules": ()},
    ]
)
_GIVEN = {
    "identity": st.sampled_from([SHARED, "own:vm1", *PEOPLES]),
    "role": st.sampled_from(["blobs", "blobs", "reader"]),
    "group": st.sampled_from([GROUPS[0], *GROUPS]),
    "fate": _FATES,
}
_MAKE = st.builds(
    s.Make,
    _NAMES,
    tags=st.sampled_from([_SHOP, _SHOP, (), _IGNORE]),
    holds=st.sampled_from([(), (), (), ("id-old",)]),
    fate=_FATES,
)
#: How often each comes, beside the others.
_STEPS: list[tuple[int, st.SearchStrategy[s.Step]]] = [
    (4, _MAKE),
    (4, st.builds(s.Tag, _NAMES, _TAGS, fate=_FATES)),
    (3, st.builds(s.Kill, _NAMES, fate=_FATES)),
    (2, st.builds(s.Attach, _NAMES, _HANDY, fate=_FATES)),
    (2, st.builds(s.Detach, _NAMES, _HANDY, fate=_FATES)),
    (1, st.builds(s.Use, _APPS, st.sampled_from(PEOPLES), fate=_FATES)),
    (1, st.builds(s.KillGroup, st.sampled_from(GROUPS), fate=_FATES)),
    (1, st.builds(s.MakeIdentity, _HANDY, fate=_FATES)),
    (1, st.builds(s.KillIdentity, _HANDY, fate=_FATES)),
    (1, st.builds(s.Grant, by=_BY, **_GIVEN)),
    (1, st.builds(s.Revoke, by=_BY, **_GIVEN)),
    (1, st.builds(s.EditStamp, **_GIVEN)),
    (1, st.builds(s.EditCondition, identity=_GIVEN["identity"], on=_ON, fate=_FATES)),
    (2, st.builds(s.Move, st.sampled_from(_MOVABLE), fate=_FATES)),
    (1, st.builds(s.HandOver, back=st.booleans(), **_GIVEN)),
    (1, st.builds(s.Adopt, _NAMES, back=st.booleans())),
    (1, st.just(s.Another())),
    (1, st.builds(s.LoseRow, st.sampled_from(_ROWS), st.integers(0, 3))),
    (1, st.builds(s.LoseTable, st.sampled_from(["all", "all", *s.TABLES]))),
    (1, st.builds(s.PutBack, st.integers(1, 6))),
    (3, st.builds(s.Pass, st.sampled_from([11, 1, 5, 61, 1441]))),
    (2, st.just(s.Sweep())),
    (1, st.builds(s.Late, st.booleans())),
    (1, st.builds(s.Pause, st.sampled_from(["removals", "everything"]))),
    (1, st.just(s.PauseWhileReading())),
    (1, st.just(s.Resume())),
    (1, st.builds(s.Release, st.integers(0, 3))),
    (1, st.builds(s.Dismiss, st.integers(0, 3))),
    (
        3,
        st.builds(
            s.Fails,
            st.sampled_from(sorted(s.CALLS)),
            st.sampled_from(sorted(s.EFFECTS)),
            times=st.integers(1, 3),
        ),
    ),
    (1, st.builds(s.Directory, times=st.integers(0, 2), lag_minutes=st.sampled_from([0, 5]))),
    (
        1,
        st.builds(
            s.Graph,
            lag_minutes=st.sampled_from([2, 0, 10]),
            answer=st.sampled_from(["full", "full", "half", "half-untold", "empty", "truncated"]),
        ),
    ),
    (2, st.builds(s.Missing, _NAMES, _SECONDS)),
    (1, st.builds(s.Lingering, _NAMES, _SECONDS)),
    (1, st.builds(s.Lock, st.sampled_from(GROUPS))),
    (1, st.builds(s.Unlock, st.sampled_from(GROUPS))),
]


def _in_turn(*steps: st.SearchStrategy[s.Step]) -> st.SearchStrategy[tuple[s.Step, ...]]:
    return st.tuples(*steps)


def _again(name: str) -> st.SearchStrategy[tuple[s.Step, ...]]:
    missing = st.builds(s.Missing, st.just(name), _SECONDS)
    return _in_turn(missing, st.builds(s.Tag, st.just(name), _TAGS))


def _alone(step: s.Step) -> tuple[s.Step, ...]:
    return (step,)


def _adoption(policy: Policy) -> st.SearchStrategy[tuple[s.Step, ...]]:
    """What the first rule gives comes to be another's, and is adopted."""
    rule = policy.rules[0] if policy.rules else Rule()
    name, holds = ("vm1" if rule.of == "vm" else "web1"), (rule.identity,)
    identity = f"own:{name}" if rule.identity == OWN else rule.identity
    role = rule.roles[0] if rule.roles else "blobs"
    make = s.Make(name, _SHOP, holds if rule.identity in (SHARED, *PEOPLES) else ())
    taken = st.sampled_from([s.HandOver(identity, role), s.EditStamp(identity, role), make])
    then = st.one_of(
        st.builds(s.Tag, st.just(name), _TAGS, fate=_FATES),
        st.builds(s.Kill, st.just(name), fate=_FATES),
        st.builds(s.Pass, st.sampled_from([11, 61])),
        st.just(s.Adopt(name, back=True)),
        st.just(s.LoseTable()),
    )
    return _in_turn(st.just(make), taken, st.just(s.Adopt(name)), then)


#: What seldom comes about by chance alone.
_TOGETHER: list[tuple[int, st.SearchStrategy[tuple[s.Step, ...]]]] = [
    (3, st.one_of(_again("vm1"), _again("vm2"))),
    (2, _in_turn(st.builds(s.Use, _APPS, st.just("id-old")), st.just(s.Sweep()))),
    (2, _in_turn(st.builds(s.KillIdentity, _HANDY, fate=_FATES), st.just(s.Sweep()))),
    (
        2,
        _in_turn(
            st.builds(s.Detach, _NAMES, _HANDY, fate=_FATES),
            st.builds(s.Attach, _NAMES, _HANDY, fate=_FATES),
            st.builds(s.PutBack, st.integers(1, 6)),
        ),
    ),
    (
        2,
        _in_turn(
            st.just(s.Tag("vm1")),
            st.just(s.Tag("vm1", _SHOP)),
            st.builds(s.Pass, st.sampled_from([11, 61, 1441])),
            st.builds(s.PutBack, st.integers(1, 3)),
            st.builds(s.Tag, st.just("vm1"), _TAGS, fate=_FATES),
        ),
    ),
    (2, _in_turn(st.just(s.LoseTable()), st.builds(s.Kill, _NAMES, fate=_FATES))),
    (
        2,
        _in_turn(
            st.builds(s.Move, st.just("vm1"), fate=_FATES),
            st.builds(s.Pass, st.sampled_from([11, 61])),
            st.builds(s.Tag, st.just("vm1@shop"), _TAGS, fate=_FATES),
        ),
    ),
    (1, _in_turn(st.just(s.Another()), st.builds(s.Kill, _NAMES, fate=_FATES), st.just(s.Sweep()))),
    (1, _in_turn(st.just(s.Quiet()), st.just(s.Relearn()))),
    (
        2,
        _in_turn(
            st.builds(s.Fails, st.sampled_from(["write", "revoke", "delete identity"])),
            st.builds(s.Release, st.integers(0, 3)),
        ),
    ),
]
#: In place of a step: another policy, made of the one in force; an adoption under that.
_POLICY_CHANGES, _ADOPTIONS = 5, 6
_WEIGHED = st.sampled_from(
    [None] * _POLICY_CHANGES
    + [_adoption] * _ADOPTIONS
    + [step.map(_alone) for weight, step in _STEPS for _ in range(weight)]
    + [steps for weight, steps in _TOGETHER for _ in range(weight)]
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """With something there from the start: of nothing, nothing can be taken."""
    policy = first = draw(_POLICIES)
    steps: list[s.Step] = [s.Make(draw(_NAMES), _SHOP)]
    for _ in range(draw(st.sampled_from(range(2, 11)))):
        weighed = draw(_WEIGHED)
        if weighed is None:
            another = changed(policy, draw(_CHANGES))
            policy = another if is_sound(another) else policy
            steps.append(s.NewPolicy(policy))
        elif isinstance(weighed, st.SearchStrategy):
            steps += draw(weighed)
        else:
            steps += draw(weighed(policy))
    return History(tuple(steps), first)


def changed(policy: Policy, members: dict[str, object]) -> Policy:
    """The policy with other members; those of a rule are the first rule's."""
    if members.keys() <= set(Policy.__dataclass_fields__):
        return replace(policy, **members)  # type: ignore[arg-type]
    rule, *others = policy.rules or (Rule(),)
    return replace(policy, rules=(replace(rule, **members), *others))  # type: ignore[arg-type]
