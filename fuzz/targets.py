"""What can be fuzzed. Each target is a property of tests/: there it says what must hold."""

from collections.abc import Callable, Mapping
from importlib import import_module

#: Reads a buffer of random bytes as the draws of a property's strategies.
type Consume = Callable[[bytes], object]

#: What takes long to shrink: fuzz/histories.py shrinks it by itself.
HISTORIES = "histories"
#: What is as large as an estate: pairs of policies by chance, without libFuzzer (differences.py).
DIFF = "diff"
_PROPERTIES = {
    "events": ("test_events", "test_an_event_is_a_change_of_what_it_names_or_is_ignored"),
    "queue": ("test_queue", "test_any_message_is_work_or_dropped_or_on_record"),
    "messages": ("test_messages", "test_any_message_is_a_change_or_permanent"),
    "ids": ("test_resource_ids", "test_what_is_not_refused_stays_within_its_segments"),
    "policies": ("test_policies", "test_any_structure"),
    "rows": ("test_rows", "test_a_damaged_row_is_named_or_what_is_read_is_sound"),
    "answers": ("test_answers", "test_any_answer_is_read_or_is_a_failure_of_ours"),
    "identities": ("test_answers", "test_an_identity_that_is_shown_is_never_dropped"),
    "listings": ("test_answers", "test_a_listing_is_whole_or_fails"),
    HISTORIES: ("histories", "what_is_promised_holds_after_each_step"),
}
NAMES: Mapping[str, str] = {
    **{name: f"{file}.py, {test}" for name, (file, test) in _PROPERTIES.items()},
    DIFF: "differences.py, by_chance: ten pairs of policies, however long it takes",
}
_FOLDERS = {HISTORIES: "fuzz"}


def target(name: str) -> Consume:
    """The property with this name. Imports it, and all that it tests."""
    module, test = _PROPERTIES[name]
    folder = _FOLDERS.get(name, "tests.fuzz")
    found: Consume = getattr(import_module(f"{folder}.{module}"), test).hypothesis.fuzz_one_input
    return found
