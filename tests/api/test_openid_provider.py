"""The whole way with somebody else's provider: sign in there by its authorization code flow, and ask with its token."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.api.conftest import Serve
from tests.api.issuer import ADA
from tests.api.test_openid import WRONG, is_ada, knowing_logins, show
from tests.api.test_tokens import refusal

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""The provider has not followed its own library yet, and warns of it in its own threads."""

CALLBACK = "http://127.0.0.1:9/callback"
APPLICATION = "adgraph-web"


@pytest.fixture
def provider() -> Iterator[str]:
    """A provider that knows Ada, and somebody whose address it has not verified; its issuer."""
    with warnings.catch_warnings():
        import authlib.deprecate  # which has its warnings always shown

        warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
        from oidc_provider_mock import User, run_server_in_thread

    people = [
        User(sub="1", claims={"preferred_username": ADA, "email": ADA, "email_verified": True}),
        User(sub="2", claims={"preferred_username": "eve", "email": ADA, "email_verified": False}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


def signed_in(provider: str, sub: str, application: str = APPLICATION) -> str:
    """The ID token somebody gets by signing in: authorization request, consent, code, token request."""
    asked = {
        "response_type": "code",
        "client_id": application,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "nonce": f"nonce-{sub}",
    }
    with httpx2.Client(base_url=provider, trust_env=False) as browser:
        consent = browser.post(f"/oauth2/authorize?{urlencode(asked)}", data={"sub": sub})
        assert consent.headers["location"].startswith(CALLBACK)
        [code] = parse_qs(urlsplit(consent.headers["location"]).query)["code"]
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        answer = browser.post("/oauth2/token", data=given, auth=(application, "a secret"))
    token: str = answer.json()["id_token"]
    return token


def test_who_signed_in_at_the_provider_is_known(serve: Serve, provider: str) -> None:
    client = knowing_logins(serve(oidc_issuer=provider, oidc_audience=APPLICATION))
    assert is_ada(show(client, signed_in(provider, "1")))
    assert show(client, signed_in(provider, "2")).json() == {"data": {"viewer": "eve"}}


def test_an_address_the_provider_has_not_verified_is_nobodys(serve: Serve, provider: str) -> None:
    client = knowing_logins(serve(oidc_issuer=provider, oidc_audience=APPLICATION, oidc_login_claim="email"))
    assert is_ada(show(client, signed_in(provider, "1")))
    response = show(client, signed_in(provider, "2"))
    assert refusal(response) == WRONG
    assert "not verified" in response.text


def test_a_token_for_another_application_is_refused(serve: Serve, provider: str) -> None:
    client = knowing_logins(serve(oidc_issuer=provider, oidc_audience=APPLICATION))
    response = show(client, signed_in(provider, "1", "somebody-elses-app"))
    assert refusal(response) == WRONG
    assert "audience" in response.text
