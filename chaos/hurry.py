"""The app as it is deployed, but for what it waits an hour for, or until Resource Graph has surely
caught up, which it always has here: no run takes that long.
"""

import shutil
from pathlib import Path

from demo.hosts import PROJECT

#: Seconds between two listings that show an identity without use, before it is deleted.
APART = 60.0
#: Seconds for which a listing may be late.
LAG = 20.0
_SOURCE = """\
import importlib.util

from lanyard.planning import deletion
from lanyard.reconcile import apply_removals

deletion.APART = {apart}
deletion.ROLES_APART = deletion.LISTING_LAG = apply_removals.LISTING_LAG = {lag}
spec = importlib.util.spec_from_file_location("deployed_app", {path!r})
deployed_app = importlib.util.module_from_spec(spec)
spec.loader.exec_module(deployed_app)
app = deployed_app.app
"""


def hurried(folder: Path) -> Path:
    """Make a folder that the Functions host runs; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROJECT / "host.json", folder)
    source = _SOURCE.format(apart=APART, lag=LAG, path=str(PROJECT / "function_app.py"))
    (folder / "function_app.py").write_text(source)
    return folder
