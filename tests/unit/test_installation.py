"""The app's installation: a setting that is required, and what of it stands in an assignment."""

import pytest

from lanyard.settings import SettingsError, read_settings
from lanyard.values.grants import Grant, is_made_by, put_back_stamp, stamp
from lanyard.values.listed import ListedAssignment
from tests.support.estate import ANOTHER_INSTALLATION, INSTALLATION
from tests.support.examples import GROUP, READER, grant

SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "AzureWebJobsStorage__accountName": "st",
}


def test_it_is_a_guid_in_lower_case() -> None:
    given = SETTINGS | {"LANYARD_INSTALLATION": INSTALLATION.upper()}
    assert read_settings(given).installation == INSTALLATION


@pytest.mark.parametrize("given", ["", "prod", f"{{{INSTALLATION}}}", INSTALLATION[:-1]])
def test_anything_else_stops_the_app_and_says_what_to_do(given: str) -> None:
    with pytest.raises(SettingsError, match=r"LANYARD_INSTALLATION.*infra/main\.bicep sets it"):
        read_settings(SETTINGS | {"LANYARD_INSTALLATION": given})


def listed(description: str, of: Grant | None = None, name: str = "") -> ListedAssignment:
    """As Resource Graph shows it."""
    gives = of or grant()
    id_ = gives.assignment_id
    return ListedAssignment(
        id=id_.replace(gives.name, name) if name else id_,
        scope=gives.scope,
        role_id=gives.role_id,
        principal_id=gives.principal_id,
        principal_type="ServicePrincipal",
        description=description,
        created="",
    )


def test_ours_has_the_name_of_its_content_and_exactly_the_stamp() -> None:
    ours = listed(stamp(INSTALLATION))
    assert is_made_by(INSTALLATION, ours)
    assert not is_made_by(ANOTHER_INSTALLATION, ours)
    assert not is_made_by("", listed(stamp("")))


@pytest.mark.parametrize(
    "theirs",
    [
        listed(put_back_stamp(INSTALLATION)),
        listed(f"{stamp(INSTALLATION)} "),
        listed("Managed by Lanyard"),
        listed(""),
        listed(stamp(INSTALLATION), name="0f0f0f0f-0000-4000-8000-000000000000"),
        listed(stamp(INSTALLATION), Grant(f"{GROUP}-2", READER, "p-1"), name=grant().name),
    ],
    ids=["put back", "a blank", "no installation", "nothing", "another name", "another scope"],
)
def test_what_a_person_had_put_back_changed_or_copied_is_not(theirs: ListedAssignment) -> None:
    assert not is_made_by(INSTALLATION, theirs)


def test_it_is_ours_in_any_case_of_the_id() -> None:
    upper = Grant(GROUP.upper(), READER, "p-1")
    assert is_made_by(INSTALLATION, listed(stamp(INSTALLATION), upper))
