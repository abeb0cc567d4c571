"""The software bill of materials says what is deployed: no more, no less."""

import json
import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_it_lists_the_locked_requirements_of_the_deployed_app(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    subprocess.run([PROJECT / "scripts" / "sbom.sh", target], check=True)
    written = json.loads(target.read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.5")
    listed = {f"{each['name']}=={each['version']}" for each in written["components"]}
    text = (PROJECT / "requirements.txt").read_text()
    pinned = {match[1] for match in re.finditer(r"^([\w.-]+==[\w.]+)", text, re.MULTILINE)}
    assert listed == pinned
    assert all(each["purl"].startswith("pkg:pypi/") for each in written["components"])
    assert "registry.invalid" not in target.read_text()
