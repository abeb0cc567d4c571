"""Any text is a resource id that stays within its segments, or refused."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lanyard.ports.tables import key_of
from lanyard.values.grants import Grant
from lanyard.values.resource_id import MAX_ID_LENGTH, InvalidResourceId, ResourceId, folded
from tests.support.examples import GROUP, READER, SUBSCRIPTION, VM_TYPE, vm_id
from tests.support.fuzz.strategies import DOTTED, IDS, KELVIN, broken_ids

#: Azure Tables: 1 KiB in UTF-16. "claim|", "|h" and eight digits come around an id.
MOST_KEY_BYTES = 1024 - 2 * 12
GROUPS = st.text(
    st.characters(categories=["L", "N"]) | st.sampled_from("_.()-" + KELVIN + DOTTED),
    min_size=1,
    max_size=300,
).filter(lambda name: set(name) != {"."})
#: Of resources: Azure leaves it to the type what else their names may have.
NAMES = st.text(
    st.characters(categories=["L", "N", "M", "P", "S", "Zs"], exclude_characters="/\\?#%{}"),
    min_size=1,
    max_size=300,
).filter(lambda name: set(name) != {"."} and name == name.strip())
SPELLINGS = {
    0: ["subscriptions", "SUBSCRIPTIONS"],
    2: ["resourceGroups", "resourcegroups", "RESOURCEGROUPS"],
    4: ["providers", "Providers"],
}


def parsed(text: str) -> ResourceId | None:
    try:
        return ResourceId.parse(text)
    except InvalidResourceId:
        return None


@st.composite
def good_ids(draw: st.DrawFn) -> str:
    parts = [
        draw(st.sampled_from(SPELLINGS[0])),
        SUBSCRIPTION,
        draw(st.sampled_from(SPELLINGS[2])),
        draw(GROUPS),
        draw(st.sampled_from(SPELLINGS[4])),
        VM_TYPE,
        draw(NAMES),
    ]
    return "/" + "/".join(parts) + draw(st.sampled_from(["", "/", "//"]))


def check(id: ResourceId, text: str) -> None:
    assert id.text == text.rstrip("/")
    assert ResourceId.parse(id.text) == id
    assert ResourceId.parse(id.key) == id, "what is on record by its key is read again"
    assert "/".join(id.text.split("/")[:3]).lower() == f"/subscriptions/{id.subscription}"
    assert not set("?#%\\{}\t\r\n\0") & set(id.text)
    assert not any(set(segment) <= {"."} for segment in id.text.split("/")[1:])
    assert all(segment == segment.strip() for segment in id.text.split("/"))
    assert not set("'\"$*[]~ |") & set("/".join(id.text.split("/")[:8]))
    key = key_of(id.key)
    assert len(key.encode("utf-16-le")) <= MOST_KEY_BYTES
    assert not set("/\\#?") & set(key)
    assert ResourceId.parse(_id_of(key)) == id


def _id_of(key: str) -> str:
    """A bar stands for a slash, but for one after a blank."""
    return re.sub(r"(?<! )\|", "/", key).replace(" |", "|")


@given(good_ids())
@example(f"{GROUP}/providers/{VM_TYPE}/|a| |b|")
def test_an_id_survives_being_written_down(text: str) -> None:
    id = parsed(text)
    if id is None:
        assert len(text.replace("|", " |").encode("utf-16-le")) > 2 * MAX_ID_LENGTH
        return
    check(id, text)
    assert id.type == VM_TYPE
    assert id.within(ResourceId.parse(id.resource_group_id))


@given(broken_ids() | st.text(st.characters()))
@example(f"{GROUP}/providers/{VM_TYPE}/" + "\N{DESERET CAPITAL LETTER LONG I}" * 400)
@example(f"{GROUP}{DOTTED}/providers/{VM_TYPE}/vm")
@example("/subscriptions/" + "9" * 100_000)
def test_what_is_not_refused_stays_within_its_segments(text: str) -> None:
    id = parsed(text)
    if id is not None:
        check(id, text)


@given(st.text(st.characters()) | st.sampled_from(IDS))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize("letter", [KELVIN, DOTTED, "\N{ANGSTROM SIGN}", "\N{OHM SIGN}"])
def test_a_letter_that_only_looks_like_another_names_another_group(letter: str) -> None:
    """Anybody may make such a group; what is done there must not reach the one that it imitates."""
    imitation = vm_id(group=GROUP + letter)
    imitated = vm_id(group=GROUP + letter.lower()[0])
    assert imitation != imitated
    assert key_of(imitation.key) != key_of(imitated.key)
    grants = {Grant(id.resource_group_id, READER, "p-1").name for id in (imitation, imitated)}
    assert len(grants) == 2
