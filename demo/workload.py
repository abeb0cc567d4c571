"""A program as it would run on a virtual machine: azure-identity, a token from IMDS, a blob.

Reads a line "read BLOB_URL" from standard input and answers one JSON line: the status, and the
blob's text or the error's code. It keeps its credential, and so its token, between the lines, as
any long-running program does. `AZURE_POD_IDENTITY_AUTHORITY_HOST` says where IMDS is.
"""

import json
import os
import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobClient


def main() -> None:
    """Answer until standard input ends."""
    credential = ManagedIdentityCredential()
    for line in sys.stdin:
        _, _, url = line.strip().partition(" ")
        sys.stdout.write(json.dumps(_read(url, credential)) + "\n")
        sys.stdout.flush()


def _read(url: str, credential: ManagedIdentityCredential) -> dict[str, object]:
    blob = BlobClient.from_blob_url(
        url, credential=credential, connection_verify=os.environ["CA_FILE"], retry_total=0
    )
    try:
        return {"status": 200, "text": blob.download_blob().readall().decode()}
    except HttpResponseError as error:
        return {"status": error.status_code, "code": getattr(error, "error_code", "")}


if __name__ == "__main__":
    main()
