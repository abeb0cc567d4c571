"""Runs on the machine of the proof, with what its image has: one call with a token of the machine's
identity. Its argument is JSON: `audience` of the token, `method`, `url`, `headers`, `body` or null.
Prints one line: "proof: " and JSON with `status` and `text`.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

_IMDS = os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://169.254.169.254")


def _send(method: str, url: str, headers: dict[str, str], body: object = None) -> tuple[int, str]:
    """The status and the text of the answer, whatever it is."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main(asked: dict[str, Any]) -> None:
    """Get a token, make the call, print what came. A token that is refused is the answer."""
    query = urllib.parse.urlencode({"api-version": "2018-02-01", "resource": asked["audience"]})
    url = f"{_IMDS}/metadata/identity/oauth2/token?{query}"
    status, text = _send("GET", url, {"Metadata": "true"})
    if status == 200:
        headers = {
            **asked["headers"],
            "Authorization": "Bearer " + json.loads(text)["access_token"],
        }
        status, text = _send(asked["method"], asked["url"], headers, asked["body"])
    sys.stdout.write("proof: " + json.dumps({"status": status, "text": text[:2000]}) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
