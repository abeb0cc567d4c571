"""Events as they are posted, of either schema, with anything in any place."""

import json
from typing import Any

from hypothesis import strategies as st

from lanyard.azure.events import DELETED, WRITTEN
from tests.support.examples import SUBSCRIPTION
from tests.support.fuzz.strategies import (
    DEEP_TEXT,
    IDS,
    OTHER_SUBSCRIPTION,
    any_json,
    broken_ids,
    mostly,
)

OWN = "aaaaaaaa-0000-0000-0000-000000000001"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
KINDS = st.sampled_from(sorted(WRITTEN | DELETED | {"Microsoft.Resources.ResourceActionSuccess"}))
ORIGINS = st.sampled_from(
    [f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{OTHER_SUBSCRIPTION}"]
)
CLAIMS = st.one_of(
    st.fixed_dictionaries({}, optional={"appid": mostly(st.just(OWN)), OBJECT_ID: any_json()}),
    st.just(json.dumps({"appid": OWN})),
    st.sampled_from([DEEP_TEXT, "{", "1" * 5000, '"\\ud800"']),
)
NAMED = broken_ids() | st.sampled_from(IDS)
ENVELOPES = (
    {"kind": "eventType", "origin": "topic", "extra": {"eventTime": "2026-11-02T09:00:00Z"}},
    {"kind": "type", "origin": "source", "extra": {"specversion": "1.0"}},
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """An event as it is posted, of either schema, with anything in any place."""
    names: dict[str, Any] = draw(st.sampled_from(ENVELOPES))
    subject = draw(NAMED)
    known = st.just(subject) | NAMED
    data = st.fixed_dictionaries(
        {},
        optional={
            "resourceUri": mostly(known),
            "resourceInfo": mostly(st.fixed_dictionaries({"id": mostly(known)})),
            "claims": mostly(CLAIMS),
            "correlationId": any_json() | st.just("c" * 100_000),
            "authorization": any_json(),
        },
    )
    made = {
        "id": draw(mostly(st.just("e" * 100_000) | st.just("e-1"))),
        "subject": draw(mostly(st.just(subject))),
        "data": draw(mostly(data)),
        names["kind"]: draw(mostly(KINDS)),
        names["origin"]: draw(mostly(ORIGINS)),
        **names["extra"],
    }
    dropped = draw(st.sets(st.sampled_from(["id", "subject", "data", names["kind"]]), max_size=1))
    return {name: value for name, value in made.items() if name not in dropped}
