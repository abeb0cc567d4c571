"""The app's installation: a setting that is required, and what of it stands in an assignment."""

from dataclasses import replace

import pytest

from lanyard.settings import SettingsError, read_settings
from lanyard.values.grants import Grant
from lanyard.values.listed import ListedAssignment
from lanyard.values.stamps import (
    Stamp,
    adopted_stamp,
    is_made_by,
    is_of_any,
    put_back_stamp,
    stamp,
)
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


TERRAFORMS = "0f0f0f0f-0000-4000-8000-000000000000"


def adopted(before: str | None, of: Grant | None = None, name: str = TERRAFORMS) -> Stamp:
    return adopted_stamp(INSTALLATION, listed("", of, name), before)


@pytest.mark.parametrize(
    "before",
    [None, "", "by Terraform", ' "quoted"; ', "two\nlines", stamp(ANOTHER_INSTALLATION)],
    ids=["none", "empty", "text", "quoted", "lines", "a stamp"],
)
@pytest.mark.parametrize("put_back", [False, True], ids=["adopted", "put back"])
def test_a_stamp_is_read_as_it_was_written(before: str | None, put_back: bool) -> None:
    written = replace(adopted(before), put_back=put_back)
    assert Stamp.of(str(written)) == written
    again = Stamp.of(str(adopted(str(written))))
    assert again is not None
    assert again.adoption is not None
    assert again.adoption.before == str(written)


def test_an_adopted_one_is_ours_under_the_name_that_it_was_adopted_under() -> None:
    ours = listed(str(adopted("by Terraform")), name=TERRAFORMS)
    assert is_made_by(INSTALLATION, ours)
    assert is_of_any(ours)
    assert not is_made_by(ANOTHER_INSTALLATION, ours)
    assert not is_made_by(INSTALLATION, replace(ours, description=f"{ours.description} "))
    put_back = replace(adopted("by Terraform"), put_back=True)
    assert not is_made_by(INSTALLATION, replace(ours, description=str(put_back)))


def test_its_description_says_nothing_of_any_other() -> None:
    description = str(adopted("by Terraform"))
    elsewhere = Grant(f"{GROUP}-2", READER, "p-1")
    assert not is_made_by(INSTALLATION, listed(description))
    assert not is_made_by(INSTALLATION, listed(description, name=TERRAFORMS.replace("0f", "0e")))
    assert not is_made_by(INSTALLATION, listed(description, elsewhere, TERRAFORMS))


@pytest.mark.parametrize("edited", [None, "", "by Terraform ", 'by Terraform"; before: "'])
def test_another_text_before_it_is_not_the_one_that_was_adopted(edited: str | None) -> None:
    found = adopted("by Terraform")
    assert found.adoption is not None
    written = replace(found, adoption=replace(found.adoption, before=edited))
    assert not is_made_by(INSTALLATION, listed(str(written), name=TERRAFORMS))


@pytest.mark.parametrize(("length", "fits"), [(800, True), (1024, False)])
def test_what_cannot_be_kept_whole_does_not_fit(length: int, fits: bool) -> None:
    assert adopted("x" * length).fits is fits
    assert not adopted("\U0001f600" * 500).fits
