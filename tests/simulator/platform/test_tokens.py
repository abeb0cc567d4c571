"""What a token says, and which tokens are refused."""

import jwt
import pytest

from simulator.errors import AzureError
from simulator.state import State
from simulator.tokens.credential import AsyncPrincipalCredential, PrincipalCredential
from simulator.tokens.jwt import ARM_AUDIENCES, STORAGE_AUDIENCES, TokenIssuer

ARM = "https://management.azure.com/"


def code_of(issuer: TokenIssuer, token: str) -> str:
    with pytest.raises(AzureError) as refused:
        issuer.verify(token, ARM_AUDIENCES)
    assert refused.value.status == 401
    return refused.value.code


def test_a_token_names_its_principal_and_the_identity_it_was_given_for() -> None:
    state = State()
    principal = state.add_principal("id-payments")
    issuer = TokenIssuer(state)
    token = issuer.issue(principal, ARM, resource_id="/subscriptions/s/…/id-payments")
    claims = issuer.verify(token.access_token, ARM_AUDIENCES)
    assert claims["iss"] == f"https://sts.windows.net/{state.tenant_id}/"
    assert (claims["oid"], claims["appid"]) == (principal.object_id, principal.client_id)
    assert (claims["aud"], claims["idtyp"]) == (ARM, "app")
    assert claims["xms_mirid"] == "/subscriptions/s/…/id-payments"
    assert int(claims["exp"]) == token.expires_on


def test_a_person_is_told_from_an_application() -> None:
    state = State()
    issuer = TokenIssuer(state)
    token = issuer.issue(state.add_principal("Ada", kind="User"), ARM)
    assert issuer.verify(token.access_token)["idtyp"] == "user"


def test_an_expired_token_is_refused() -> None:
    state = State()
    issuer = TokenIssuer(state)
    token = issuer.issue(state.add_principal("app"), ARM, lifetime=-1)
    assert code_of(issuer, token.access_token) == "ExpiredAuthenticationToken"


def test_a_token_expires_when_its_lifetime_has_passed() -> None:
    state, moment = State(), [1000.0]
    issuer = TokenIssuer(state, now=lambda: moment[0])
    token = issuer.issue(state.add_principal("app"), ARM, lifetime=60)
    moment[0] += 59
    issuer.verify(token.access_token)
    moment[0] += 1
    assert code_of(issuer, token.access_token) == "ExpiredAuthenticationToken"


def test_moving_the_simulators_clock_leaves_tokens_good() -> None:
    state = State()
    issuer = TokenIssuer(state)
    token = issuer.issue(state.add_principal("app"), ARM)
    state.clock.advance(7 * 86400)
    assert issuer.verify(token.access_token)["aud"] == ARM


def test_a_token_of_another_run_or_forged_is_refused() -> None:
    state = State()
    token = TokenIssuer(state).issue(state.add_principal("app"), ARM).access_token
    forged = jwt.encode({"aud": ARM, "oid": "me", "exp": 1}, "x" * 32, "HS256")
    assert code_of(TokenIssuer(state), token) == "InvalidAuthenticationToken"
    assert code_of(TokenIssuer(state), forged) == "InvalidAuthenticationToken"
    assert code_of(TokenIssuer(state), "no token") == "InvalidAuthenticationToken"


def test_a_token_for_another_service_is_refused() -> None:
    state = State()
    issuer = TokenIssuer(state)
    token = issuer.issue(state.add_principal("app"), "https://storage.azure.com/").access_token
    assert issuer.verify(token, STORAGE_AUDIENCES)["aud"] == "https://storage.azure.com/"
    assert code_of(issuer, token) == "InvalidAuthenticationTokenAudience"


async def test_credentials_give_tokens_for_the_scope_asked() -> None:
    state = State()
    issuer, principal = TokenIssuer(state), state.add_principal("app")
    given = PrincipalCredential(issuer, principal).get_token(ARM + "/.default")
    async with AsyncPrincipalCredential(issuer, principal) as credential:
        given_async = await credential.get_token("https://storage.azure.com/.default")
    assert issuer.verify(given.token)["aud"] == ARM
    assert issuer.verify(given_async.token)["aud"] == "https://storage.azure.com"
