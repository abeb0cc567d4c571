"""The app of the proof: deployed as a person would deploy it, and let watch by each way."""

import json
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from lanyard.desk.azure.app_setup import Setup
from lanyard.desk.onboarding.offboarding import Offboarding
from lanyard.desk.onboarding.onboarding import Onboarding
from lanyard.desk.onboarding.parts import FUNCTION, Delivery, Deployment
from lanyard.desk.onboarding.steps import Step as Part
from lanyard.desk.onboarding.steps import type_of
from lanyard.desk.rights import rights
from lanyard.policy import load_policy
from lanyard.values.errors import LanyardError
from prove.proof import APP_GROUP, ENVIRONMENT, Proof
from prove.questions import TOPIC_IDENTITY

_PROJECT = Path(__file__).parents[1]
POLICY = _PROJECT / "prove" / "lanyard.yaml"
_IN_PACKAGE = "prove.yaml"
_DEPLOYMENT = "lanyard-proof"
_DEPLOYMENTS = "2025-04-01"
_ENDED = ("succeeded", "failed", "canceled")
_TOPIC = "Microsoft.EventGrid/systemTopics"


async def deploy(proof: Proof) -> None:
    """infra/main.bicep and the package, by the Azure CLI, in a resource group of its own."""
    await _end_deployment(proof)  # Azure takes no second one of a name while one goes on
    outputs = json.loads(
        await proof.az(
            *("deployment", "sub", "create", "--name", _DEPLOYMENT),
            *("--subscription", proof.journal.subscription, "--location", proof.journal.location),
            *("--template-file", str(_PROJECT / "infra" / "main.bicep"), "--parameters"),
            f"environmentName={ENVIRONMENT}",
            f"location={proof.journal.location}",
            f"policy={_IN_PACKAGE}",
            "storageSku=Standard_LRS",
            *("--query", "properties.outputs", "--output", "json"),
        )
    )
    app = {name: str(output["value"]) for name, output in outputs.items()}
    proof.journal.keep(app=app)
    with tempfile.TemporaryDirectory() as folder:
        package = package_at(Path(folder) / "app.zip")
        # The app's role on its storage, which the package is put into, is new.
        await proof.in_time(lambda: _publish(proof, app["SERVICE_APP_NAME"], package))
    seconds = await proof.until("the app's function is listed", lambda: _is_listed(proof))
    proof.measure("the function is listed after the deployment", seconds)


async def _publish(proof: Proof, name: str, package: Path) -> None:
    await proof.az(
        *("functionapp", "deployment", "source", "config-zip", "--build-remote", "true"),
        *("--subscription", proof.journal.subscription, "--resource-group", APP_GROUP),
        *("--name", name, "--src", str(package), "--output", "none"),
    )


def package_at(target: Path) -> Path:
    """Write the app's package there, as any deployment takes it, and the proof's policy in it."""
    command = [sys.executable, str(_PROJECT / "scripts" / "package.py"), str(target)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if ran.returncode:
        raise LanyardError(f"the package cannot be made: {ran.stderr.strip()}")
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.write(POLICY, _IN_PACKAGE)
    return target


async def _is_listed(proof: Proof) -> bool:
    app_id = proof.journal.values["app"]["LANYARD_APP_ID"]
    return FUNCTION in await Setup(proof.clients).functions(app_id)


async def _end_deployment(proof: Proof) -> None:
    """What a run began that was stopped goes on in Azure, and would make anew what is taken back:
    it is called off, and waited for.
    """
    id_ = f"{proof.scope}/providers/Microsoft.Resources/deployments/{_DEPLOYMENT}"

    async def has_ended() -> bool:
        found = await proof.resources.read(id_, _DEPLOYMENTS)
        state = str((found or {}).get("properties", {}).get("provisioningState") or "")
        if found is None or state.lower() in _ENDED:
            return True
        with suppress(LanyardError):  # it may have ended meanwhile; the next look shows it
            await proof.post(f"{id_}/cancel", _DEPLOYMENTS, {})
        return False

    await proof.until("the deployment that was begun has ended", has_ended)


async def remove_app(proof: Proof) -> None:
    """Its resource group, and the record of its deployment."""
    await _end_deployment(proof)
    await proof.delete_group(APP_GROUP)
    subscription = proof.journal.subscription
    await proof.az(
        *("deployment", "sub", "delete", "--name", _DEPLOYMENT, "--subscription", subscription)
    )


def deployment(proof: Proof, way: Delivery) -> Deployment:
    """The app, by the outputs of its deployment."""
    app = proof.journal.values["app"]
    return Deployment(
        app_id=app["LANYARD_APP_ID"],
        client_id=app["LANYARD_CLIENT_ID"],
        principal_id=app["LANYARD_PRINCIPAL_ID"],
        storage_id=app["LANYARD_STORAGE_ID"],
        installation=app["LANYARD_INSTALLATION"],
        action_group_id=app["LANYARD_ACTION_GROUP_ID"],
        location=proof.journal.location,
        delivery=way,
        topic_identity=proof.journal.values.get("topicIdentity", True),
    )


async def watch_by_webhook(proof: Proof) -> None:
    """As `lanyard onboard`; without an identity on the topic where Azure refuses one."""
    parts = await _onboard(proof, Delivery.WEBHOOK)
    refused = next((part.error for part in parts if part.error and _is_topic(part)), "")
    if refused and proof.journal.values.get("topicIdentity", True):
        proof.answer(TOPIC_IDENTITY, f"no: {refused}")
        proof.journal.keep(topicIdentity=False)
        parts = await _onboard(proof, Delivery.WEBHOOK)
    elif not refused:
        proof.answer(TOPIC_IDENTITY, "yes")
    _check(proof, parts)


async def watch_by_queue(proof: Proof) -> None:
    """The same events, into the app's queue. Raises LanyardError for a topic without identity."""
    if not proof.journal.values.get("topicIdentity", True):
        raise LanyardError("the topic has no identity that could send to a queue")
    _check(proof, await _onboard(proof, Delivery.QUEUE))


async def _onboard(proof: Proof, way: Delivery) -> list[Part]:
    began = proof.now()
    onboarding = Onboarding(
        resources=proof.resources,
        app=deployment(proof, way),
        rights=rights(load_policy(POLICY)),
        subscription=proof.journal.subscription,
        sleep=proof.clients.sleep,
        waiting=proof.show,
    )
    parts = [part async for part in onboarding.go(write=True)]
    proof.measure(f"onboarding by {way}", proof.now() - began)
    return parts


def _check(proof: Proof, parts: list[Part]) -> None:
    if failed := next((part for part in parts if part.error), None):
        raise LanyardError(f"{failed.about}: {failed.error}")
    proof.journal.keep(topic=next(part.id for part in parts if _is_topic(part)))


def _is_topic(part: Part) -> bool:
    return type_of(part.id).lower() == _TOPIC.lower()


async def watch_no_more(proof: Proof) -> None:
    """As `lanyard offboard`. Nothing was onboarded where nothing was deployed."""
    if "app" not in proof.journal.values:
        return
    app = deployment(proof, Delivery.WEBHOOK)
    offboarding = Offboarding(
        resources=proof.resources, app=app, subscription=proof.journal.subscription
    )
    parts = [part async for part in offboarding.go(write=True)]
    if failed := next((part for part in parts if part.error), None):
        raise LanyardError(f"{failed.about}: {failed.error}")
