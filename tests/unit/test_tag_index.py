"""Rules by the tags that they want (lanyard/policy/tag_index.py): none that fits is passed over."""

from hypothesis import example, given
from hypothesis import strategies as st

from lanyard.policy.patterns import has_tags
from lanyard.policy.tag_index import TagIndex

# Names and values that differ in case alone, among them one that only Python takes for a "k".
_WORDS = st.sampled_from(["env", "Env", "prod", "PROD", "dev", "*", "k", "K", "\u212a", ""])
_TAGS = st.dictionaries(_WORDS, _WORDS, max_size=3)


@given(st.lists(_TAGS, max_size=8), _TAGS)
@example([{"env": "*"}], {"Env": "dev"})
@example([{"env": "*", "k": "prod"}, {}], {"ENV": "x"})
def test_what_fits_is_among_what_may_fit_in_its_order(
    wanted: list[dict[str, str]], tags: dict[str, str]
) -> None:
    found = TagIndex((each, number) for number, each in enumerate(wanted)).may_fit(tags)
    fitting = [number for number, each in enumerate(wanted) if has_tags(tags, each)]
    assert found == sorted(set(found))
    assert [number for number in found if has_tags(tags, wanted[number])] == fitting


def test_who_wants_another_value_of_a_tag_is_not_asked() -> None:
    teams = [({"team": f"t{number}"}, number) for number in range(1000)]
    index = TagIndex([*teams, ({}, 1000), ({"team": "*"}, 1001)])
    assert index.may_fit({"TEAM": "T7", "env": "prod"}) == [7, 1000, 1001]
    assert index.may_fit({}) == [1000, 1001]
