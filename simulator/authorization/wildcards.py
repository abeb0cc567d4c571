"""Action patterns of role definitions and conditions: `*` stands for anything.

Between two slashes it stands for nothing at all, too: Managed Identity Operator may read an
identity by "userAssignedIdentities/*/read", although the action is "userAssignedIdentities/read".
"""

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    expression = re.escape(pattern).replace(r"/\*/", "/(?:.*/)?").replace(r"\*", ".*")
    return re.compile(expression, re.IGNORECASE)


@lru_cache(maxsize=65536)
def matches(pattern: str, action: str) -> bool:
    """Whether `action` fits `pattern`, without regard to case."""
    return _compiled(pattern).fullmatch(action) is not None
