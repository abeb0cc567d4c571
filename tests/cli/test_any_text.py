"""Whatever is in a policy file, it is a policy or a list of problems at places of the file."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lanyard.policy import PolicyError, Problem
from lanyard.policy.load import parse_policy

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = [
    file.read_text()
    for file in sorted(EXAMPLES.glob("*.yaml"))
    if not file.name.endswith(".test.yaml")
]
# What means something in YAML, in templates, or in neither.
CHARACTERS = "{}[]&*!|>%@`#:,-?'\"\t\n\x00\ufeff\u2028"
YAML = ("!!int ", "<<: ", "&a ", "*a", "2026-99-99", "1:30", "0x", ".inf", "~", "\n- ", "\n  ")
PIECES = st.one_of(
    st.sampled_from(
        (*CHARACTERS, *YAML, "{location}", "{tags.}", "/subscriptions/", "Owner", "system")
    ),
    st.text(max_size=8),
)


def problems(text: str) -> list[Problem]:
    try:
        parse_policy("lanyard.yaml", text)
    except PolicyError as error:
        return error.problems
    return []


def check(text: str) -> None:
    # YAML has more line ends than one: NEL, LS and PS are some.
    lines = len(text.splitlines()) + 2
    for problem in problems(text):
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.message


@settings(max_examples=200)
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=200)
@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4),
)
def test_a_good_policy_with_anything_done_to_it(
    text: str, edits: list[tuple[float, int, str]]
) -> None:
    for where, removed, piece in edits:
        at = int(where * len(text))
        text = text[:at] + piece + text[at + removed :]
    check(text)
