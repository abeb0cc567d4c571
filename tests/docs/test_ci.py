"""The workflows in docs/ci.md: the form of each, and what its scripts do, run as the agents run
them; and the hooks for pre-commit.
"""

import json
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lanyard.cli import main
from lanyard.cli.diff.markdown import MARK
from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import serve
from tests.support.estate import POLICY
from tests.support.pages import PROJECT, page
from tests.support.pipelines import AZURE, GITHUB, Agent, Call, merged, script_of, steps
from tests.support.scanned import fill_estate

type Json = dict[Any, Any]

NOTHING = "version: 1\nmode: full\n"
TESTS = """\
tests:
  - name: a machine reads blobs
    resource: {type: Microsoft.Compute/virtualMachines}
    expect:
      attached: [id-lanyard-westeurope]
      granted:
        - {role: Storage Blob Data Reader, scope: "{resourceGroup}", to: id-lanyard-westeurope}
"""
BEFORE = {"policy/lanyard.yaml": NOTHING}
CHANGE = {"policy/lanyard.yaml": POLICY, "policy/lanyard.test.yaml": TESTS}
TEXTS = [
    block.text for block in page(PROJECT / "docs" / "ci.md").blocks if block.language == "yaml"
]
WORKFLOWS: list[Json] = [yaml.safe_load(text) for text in TEXTS]
ON_GITHUB, RIGHTS, ON_AZURE, _ = WORKFLOWS
HOOKS: list[Json] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
VALUES = {
    "github.event.pull_request.number": "7",
    "github.token": "a token",
    "vars.LANYARD_STORAGE": "",
    "vars.POLICY_ACCOUNT": "stpolicies",
    "env.LANYARD": "lanyard",
    "lanyard": "lanyard",
    "lanyardStorage": "",
    "policyAccount": "stpolicies",
    "Build.Repository.ID": "1",
    "System.AccessToken": "a token",
    "System.CollectionUri": "https://dev.azure.com/shop/",
    "System.PullRequest.PullRequestId": "7",
    "System.TeamProjectId": "2",
}
THREADS = "https://dev.azure.com/shop/2/_apis/git/repositories/1/pullRequests/7/threads"


def jobs(stage: str) -> list[Json]:
    (found,) = (each for each in ON_AZURE["stages"] if each["stage"] == stage)
    return list(steps(found["jobs"]))


@asynccontextmanager
async def agent(
    folder: Path, bash: tuple[str, ...], before: dict[str, str], change: dict[str, str]
) -> AsyncIterator[Agent]:
    azure = Azure()
    fill_estate(azure)
    merged(folder / "checkout", before, change)
    async with serve(azure, make_certificates(folder / "tls")) as addresses:
        found = Agent(folder, addresses, bash, VALUES)
        found.prepare()
        yield found


async def passed(machine: Agent, every: list[Json], common: Json | None = None) -> list[Call]:
    """All scripts of the steps pass; what others were asked."""
    for step in every:
        script = script_of(step)
        if script is not None:
            code, written = await machine.run(script, (common or {}) | step.get("env", {}))
            assert code == 0, f"{script}\n{written}"
    return machine.calls()


async def test_on_github_a_pull_request_is_checked_and_its_difference_is_its_comment(
    tmp_path: Path,
) -> None:
    every = [*steps(ON_GITHUB["jobs"]["check"]), *steps(ON_GITHUB["jobs"]["difference"])]
    async with agent(tmp_path, GITHUB, BEFORE, CHANGE) as machine:
        *_, comment = await passed(machine, every, ON_GITHUB["env"])
        assert (machine.checkout / "tests.xml").exists()
        assert comment.arguments == ["pr", "comment", "7", "--body-file", "diff.md"]
        assert comment.given.startswith(MARK)
        assert "git:HEAD^1:policy/lanyard.yaml" in comment.given
        machine.answers["gh"] = "31\n"
        again, comment = await passed(machine, every[-1:])
        assert MARK in again.arguments[-1]  # which of the comments is its own
        assert "repos/shop/policy/issues/comments/31" in comment.arguments
        assert comment.given.startswith(MARK)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the script is of jq")
async def test_on_azure_devops_a_pull_request_is_checked_and_its_difference_is_its_thread(
    tmp_path: Path,
) -> None:
    every = jobs("check")
    async with agent(tmp_path, AZURE, BEFORE, CHANGE) as machine:
        machine.answers["curl"] = json.dumps({"value": [{"id": 4, "comments": [{"id": 1}]}]})
        *_, thread = await passed(machine, every)
        assert (machine.checkout / "tests.xml").exists()
        assert thread.arguments[-1] == f"{THREADS}?api-version=7.0"
        assert json.loads(thread.given)["comments"][0]["content"].startswith(MARK)
        mine = [{"id": 4, "comments": []}, {"id": 5, "comments": [{"content": f"{MARK}\nold"}]}]
        machine.answers["curl"] = json.dumps({"value": mine})
        _, thread = await passed(machine, every[-1:])
        assert thread.arguments[-1] == f"{THREADS}/5/comments/1?api-version=7.0"
        assert json.loads(thread.given)["content"].startswith(MARK)


def _difference(bash: tuple[str, ...]) -> Json:
    every = [*steps(ON_GITHUB["jobs"]["difference"])] if bash == GITHUB else jobs("check")
    (found,) = (step for step in every if "lanyard diff git" in (script_of(step) or ""))
    return found


@pytest.mark.parametrize("bash", [GITHUB, AZURE], ids=["github", "azure"])
async def test_what_cannot_be_compared_fails_the_step_and_what_is_lost_does_not(
    bash: tuple[str, ...], tmp_path: Path
) -> None:
    step = _difference(bash)
    script = script_of(step) or ""
    async with agent(tmp_path, bash, {"policy/lanyard.yaml": POLICY}, BEFORE) as machine:
        (machine.checkout / "policy" / "lanyard.yaml").write_text("version: 1\nmode: ful\n")
        code, written = await machine.run(script, step["env"])
        assert (code, "ful" in written) == (1, True)
        (tmp_path / "commands" / "lanyard").unlink()
        (tmp_path / "commands" / "lanyard").write_text("#!/bin/sh\nexit 2\n")
        (tmp_path / "commands" / "lanyard").chmod(0o755)
        assert (await machine.run(script, step["env"]))[0] == 0
        (tmp_path / "commands" / "lanyard").write_text("#!/bin/sh\nexit 137\n")
        assert (await machine.run(script, step["env"]))[0] == 137


@pytest.mark.parametrize("bash", [GITHUB, AZURE], ids=["github", "azure"])
async def test_what_is_merged_is_uploaded_to_where_the_app_looks(
    bash: tuple[str, ...], tmp_path: Path
) -> None:
    every = [*steps(ON_GITHUB["jobs"]["deploy"])] if bash == GITHUB else jobs("deploy")
    async with agent(tmp_path, bash, BEFORE, CHANGE) as machine:
        (upload,) = await passed(machine, every)
    assert upload.arguments[:3] == ["storage", "blob", "upload"]
    options = dict(zip(upload.arguments[3::2], upload.arguments[4::2], strict=False))
    assert options == {
        "--auth-mode": "login",
        "--account-name": "stpolicies",
        "--container-name": "policies",
        "--name": "lanyard.yaml",
        "--file": "policy/lanyard.yaml",
    }
    assert upload.arguments[-1] == "--overwrite"


def scripts() -> Iterator[str]:
    for workflow in WORKFLOWS[:3]:
        yield from (text for step in steps(workflow) if (text := script_of(step)) is not None)


def test_no_script_has_what_a_stranger_may_write_put_into_it() -> None:
    """An expression of GitHub's is pasted into the script as it is."""
    assert [script for script in scripts() if "${{" in script] == []


@pytest.mark.parametrize("workflow", [ON_GITHUB, RIGHTS], ids=["policy", "rights"])
def test_a_workflow_of_github_has_its_form(workflow: Json) -> None:
    """docs.github.com/actions/reference/workflows-and-actions/workflow-syntax. (YAML 1.1 takes
    the key `on` for a truth.)
    """
    assert workflow.keys() <= {"name", True, "permissions", "concurrency", "env", "jobs"}
    assert workflow[True].keys() <= {"pull_request", "push", "workflow_dispatch"}
    assert workflow["permissions"] == {"contents": "read"} or "id-token" in workflow["permissions"]
    for job in workflow["jobs"].values():
        keys = {"if", "needs", "runs-on", "environment", "permissions", "env", "steps"}
        assert {"runs-on", "steps"} <= job.keys() <= keys
        assert set(job.get("needs", "check").split()) <= workflow["jobs"].keys() | {"check"}
        for step in job["steps"]:
            assert len({"uses", "run"} & step.keys()) == 1
            assert step.keys() <= {"uses", "run", "with", "env", "if", "name"}
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
        granted = workflow["permissions"] | job.get("permissions", {})
        logs_in = any("azure/login" in step.get("uses", "") for step in job["steps"])
        assert logs_in == (granted.get("id-token") == "write")
        assert logs_in == ("environment" in job)


def test_the_pipeline_of_azure_devops_has_its_form() -> None:
    """learn.microsoft.com/azure/devops/pipelines/yaml-schema."""
    assert ON_AZURE.keys() == {"trigger", "pool", "variables", "stages"}
    names = [stage["stage"] for stage in ON_AZURE["stages"]]
    for stage in ON_AZURE["stages"]:
        assert {"stage", "jobs"} <= stage.keys() <= {"stage", "jobs", "dependsOn", "condition"}
        assert stage.get("dependsOn", names[0]) in names
        for job in stage["jobs"]:
            kind = "job" if "job" in job else "deployment"
            inside = {"steps"} if kind == "job" else {"environment", "strategy"}
            assert job.keys() == {kind, *inside}
            if kind == "deployment":
                assert job["strategy"]["runOnce"]["deploy"].keys() == {"steps"}
    for step in steps(ON_AZURE):
        (kind,) = {"checkout", "task", "script"} & step.keys()
        assert step.keys() <= {kind, "inputs", "env", "condition", "displayName", "fetchDepth"}
        assert re.fullmatch(r"\w+@\d+", step.get("task", "A@1"))
        if step.get("task") == "AzureCLI@2":
            needed = {"azureSubscription", "scriptType", "scriptLocation", "inlineScript"}
            assert step["inputs"].keys() == needed


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_on_what_it_is_for(hook: Json, tmp_path: Path) -> None:
    assert hook["language"] == "python"
    for name, text in (("lanyard.yaml", POLICY), ("lanyard.test.yaml", TESTS)):
        (tmp_path / name).write_text(text)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "lanyard"
    files = [str(tmp_path)]
    if hook.get("pass_filenames", True):
        files = [str(each) for each in tmp_path.iterdir() if re.search(hook["files"], each.name)]
        assert len(files) == 2
    assert main([*arguments, *files]) == 0
    (tmp_path / "lanyard.yaml").write_text("version: 1\nmode: ful\n")
    assert main([*arguments, *files]) != 0


def test_the_page_names_hooks_that_there_are() -> None:
    (repository,) = WORKFLOWS[3]["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in HOOKS}
