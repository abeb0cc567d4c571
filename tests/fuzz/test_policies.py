"""Whatever is in a policy file: a policy, or PolicyError with a place in the file, in bounded time
and memory. `tests/cli/test_any_text.py` does the same to texts that are nearly right.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lanyard.policy import Policy, PolicyError
from lanyard.policy.load import load_policy, parse_policies, parse_policy
from tests.support.examples import VM_TYPE, identity_id
from tests.support.fuzz.policy_bombs import BOMBS
from tests.support.fuzz.strategies import TEXT, any_json, broken_ids, mostly

PROJECT = Path(__file__).parents[2]
MATCH = st.fixed_dictionaries(
    {"types": mostly(st.just([VM_TYPE]))},
    optional={
        "scopes": mostly(st.lists(broken_ids(), max_size=2)),
        "names": mostly(st.lists(TEXT, max_size=2)),
        "tags": mostly(st.dictionaries(TEXT, TEXT, max_size=2)),
        "exclude": any_json(),
    },
)
GRANT = st.fixed_dictionaries(
    {
        "role": mostly(st.sampled_from(["Reader", "Owner"])),
        "scope": mostly(st.sampled_from(["{resource}", "{tags.x}", "{", "}"]) | broken_ids()),
        "to": mostly(st.sampled_from(["i", "system"])),
    }
)
RULE = st.fixed_dictionaries(
    {"name": mostly(TEXT), "match": mostly(MATCH), "attach": mostly(st.just(["i"]))},
    optional={"grant": mostly(st.lists(GRANT, max_size=2)), "system": any_json()},
)
POLICIES = st.fixed_dictionaries(
    {
        "version": mostly(st.just(1)),
        "identities": mostly(st.fixed_dictionaries({"i": st.just({"id": identity_id().text})})),
        "rules": mostly(st.lists(mostly(RULE), max_size=2)),
    },
    optional={
        "limits": mostly(st.fixed_dictionaries({"removals": any_json()})),
        "orphans": any_json(),
        "privileged": any_json(),
        "standards": mostly(st.dictionaries(TEXT, mostly(st.lists(GRANT)), max_size=2)),
        "mode": any_json(),
    },
)


def outcome(read: Callable[[], Policy]) -> Policy | None:
    """A policy, or None where every problem has a place and words."""
    try:
        return read()
    except PolicyError as error:
        problems = error.problems
    assert problems
    assert all(each.line >= 1 and each.column >= 1 and each.message for each in problems)
    return None


@settings(max_examples=120)
@given(POLICIES | any_json())
@example({"version": float("inf")})
def test_any_structure(value: Any) -> None:
    policy = outcome(lambda: parse_policy("lanyard.yaml", json.dumps(value)))
    assert policy is None or policy.digest


@settings(max_examples=40)
@given(POLICIES | any_json(), POLICIES | any_json())
def test_any_two_files(one: Any, other: Any) -> None:
    texts = [("one.yaml", json.dumps(one)), ("other.yaml", json.dumps(other))]
    outcome(lambda: parse_policies(texts))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy") / "lanyard.yaml"


ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp037"])


@given(
    st.binary()
    | st.tuples(st.sampled_from(["version: 1\n", "é", "rules: []"]), ENCODINGS).map(
        lambda pair: pair[0].encode(pair[1])
    )
)
@example("\ufeffé".encode() + b"\xff")
@example(b"\xef\xbb")
def test_any_bytes(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    outcome(lambda: load_policy(file))


def test_a_file_made_to_take_all_time_and_memory_takes_little_of_both() -> None:
    """In a process of its own, with limits that the system enforces."""
    program = [sys.executable, "-m", "tests.support.fuzz.policy_bombs"]
    ran = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = [line.partition(": lanyard.yaml:")[0] for line in ran.stdout.splitlines()]
    assert told == list(BOMBS)


def test_the_problems_of_a_hopeless_file_are_told_up_to_a_number() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("lanyard.yaml", "version: 1\n" + "".join(f"k{n}: 1\n" for n in range(3000)))
    assert len(caught.value.problems) == 1000
