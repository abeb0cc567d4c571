"""What hostile input is made of: any JSON, texts that nearly mean something, nested junk."""

from typing import Any

from hypothesis import strategies as st

from tests.support.examples import GROUP, SUBSCRIPTION, VM_TYPE, identity_id, vm_id

OTHER_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
KELVIN = "\N{KELVIN SIGN}"  # its lower case is an ordinary k
DOTTED = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"  # its lower case is two characters

#: Any text at all, lone surrogates included: JSON can spell them.
TEXT = st.text(st.characters(), max_size=20)
IDS = (
    vm_id().text,
    vm_id().text.upper(),
    vm_id("vm-" + KELVIN).text,
    GROUP,
    GROUP + DOTTED,
    identity_id().text,
    f"{GROUP}/providers/{VM_TYPE}/vm1/providers/Microsoft.Resources/tags/default",
    f"/subscriptions/{SUBSCRIPTION}",
    f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-app/providers/{VM_TYPE}/vm1",
)
PIECES = ("/", "//", "..", "%2e%2e", "?x=1", "#", "'", "\\", "\x00", "\n", " ", KELVIN, DOTTED)


class Deep(list[Any]):
    """Lists in lists, deeper than anything of Azure's; shown by name where a test fails."""

    def __init__(self, levels: int) -> None:
        inner: Any = "end"
        for _ in range(levels):
            inner = [inner]
        super().__init__([inner])

    def __repr__(self) -> str:
        return "DEEP"


class Long(str):
    """A text that nobody wants to read where a test fails."""

    def __repr__(self) -> str:
        return f"LONG {self[:8]}…"


DEEP = Deep(300)
HUGE = 10**4000
#: Deeper than Python's own reader of JSON goes.
DEEP_TEXT = Long("[" * 100_000)


def any_json() -> st.SearchStrategy[Any]:
    """Any value that JSON can hold, and some that only Python's reader takes for JSON."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.just(HUGE)
        | st.floats()
        | TEXT
        | st.sampled_from(IDS)
    )
    inner = st.recursive(
        leaves,
        lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=3),
        max_leaves=8,
    )
    return inner | st.just(DEEP)


@st.composite
def broken_ids(draw: st.DrawFn) -> str:
    """A resource id with something done to it."""
    text = draw(st.sampled_from(IDS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        removed = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from(PIECES) | TEXT) + text[at + removed :]
    return text


def mostly[T](good: st.SearchStrategy[T]) -> st.SearchStrategy[Any]:
    """What belongs there, or anything."""
    return st.one_of(good, good, good, any_json())
