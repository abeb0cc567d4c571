"""The queries of alerts and workbook, and which lines of the log one finds."""

import json
import re
from collections.abc import Iterable

from tests.support.infra.bicep import INFRA, variable

#: By the alert's name.
QUERIES: dict[str, str] = {
    rule["name"]: rule["query"] for rule in variable("rules", "modules/alerts.bicep")
}
#: By the panel's name.
WORKBOOK: dict[str, str] = {
    item["name"]: item["content"]["query"]
    for item in json.loads((INFRA / "modules" / "workbook.json").read_text())["items"]
    if item["type"] == 3
}
_TERM = re.compile(r'Message (startswith|has|matches regex) "([^"]*)"')


def matching(query: str, lines: Iterable[str]) -> list[str]:
    """The lines that a query over AppTraces finds: by its terms on Message, all or any of them."""
    terms = _TERM.findall(query)
    assert terms
    any_will_do = " or " in query
    assert not (any_will_do and " and " in query), "not both here"
    enough = any if any_will_do else all
    return [line for line in lines if enough(_holds(how, text, line) for how, text in terms)]


def _holds(operator: str, text: str, line: str) -> bool:
    match operator:
        case "startswith":
            return line.lower().startswith(text.lower())
        case "has":
            return text.lower() in line.lower()
        case _:
            return re.search(text, line) is not None
