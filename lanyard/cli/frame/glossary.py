"""What is private to Lanyard, in a line each, for the help of the commands that speak of it.
docs/concepts.md has each in full.
"""

import re
from collections.abc import Iterator

_TERMS = {
    "budget": "how many removals, or additions, an hour may see",
    "claim": "what a resource has on a grant that it needs; with the last one the grant goes",
    "control principal": "one that the directory must know, or its answer is not believed",
    "dead letter": "an event that Event Grid could not deliver",
    "decision": "an entry of the record: what was done or not, why, and by which rule",
    "estate": "all that can be read: resources, identities, role assignments",
    "grace": "how long a removal waits, so that what takes its place comes first",
    "grant": "a role at a scope, which one principal is given",
    "held": "not done, although it could be; on a list, with the reason and the way out",
    "installation": "the GUID of one app of Lanyard, in every role assignment that it makes",
    "observe": "the mode of a policy in which nothing is changed",
    "orphan": "a role assignment that nobody needs",
    "standard": "a list of roles that ships with Lanyard",
    "sweep": "the hourly look over the whole estate: finds what no event reported",
}
#: How a text has it, where that is not the term and its plural. "Standard output" is none.
_FORMS = {
    "held": r"(?<!be )held(?! against| by)",
    "orphan": r"orphan(s|ed)?",
    "standard": r"standards?(?! output| input| error)",
}


def terms_of(text: str) -> Iterator[tuple[str, str]]:
    """The terms that the text has, in alphabetical order, each with what it is."""
    for term, meaning in _TERMS.items():
        if re.search(rf"\b({_FORMS.get(term, f'{term}s?')})\b", text, re.IGNORECASE):
            yield term, meaning
