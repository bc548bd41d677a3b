"""Tokens, as Microsoft's token endpoint gives and refuses them."""
import jwt
import pytest
import requests

from parts import microsoft

ERROR_MEMBERS = {"error", "error_description", "error_codes", "timestamp", "trace_id",
                 "correlation_id"}


def metadata(ms):
    answer = requests.get(ms.app.endpoint("v2.0/.well-known/openid-configuration"), timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def error_of(answer):
    assert ERROR_MEMBERS <= set(answer.json()), answer.text
    return answer.status_code, answer.json()["error"]


def test_the_metadata_names_the_endpoints_that_we_use(ms):
    found = metadata(ms)
    assert found["authorization_endpoint"] == ms.app.endpoint("oauth2/v2.0/authorize")
    assert found["token_endpoint"] == ms.app.endpoint("oauth2/v2.0/token")
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    assert "code" in found["response_types_supported"]


def test_an_id_token_is_signed_by_a_key_of_the_metadata(ms):
    answer = ms.app.refresh(ms.refresh_token, scope=microsoft.SCOPES).json()
    found = metadata(ms)
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(answer["id_token"]).key
    claims = jwt.decode(answer["id_token"], key, algorithms=["RS256"], audience=ms.app.client_id)
    assert claims["iss"] == found["issuer"].replace("{tenantid}", claims["tid"])
    assert claims["oid"] and claims["ver"] == "2.0"
    me = ms.graph().call("GET", "/me").json()
    assert claims["oid"] == me["id"] and claims["preferred_username"] == me["userPrincipalName"]


def test_tokens_come_with_the_granted_scopes_and_their_life(ms):
    assert ms.tokens["token_type"] == "Bearer" and ms.tokens["expires_in"] > 0
    names = {scope.rsplit("/", 1)[-1] for scope in ms.tokens["scope"].split()}
    assert {"Calendars.ReadWrite", "User.Read"} <= names


def test_refreshing_rotates_and_the_old_token_stays_valid(ms):
    answers = [ms.app.refresh(ms.refresh_token).json() for _ in range(2)]
    tokens = {ms.refresh_token, *(answer["refresh_token"] for answer in answers)}
    assert len(tokens) == 3


@pytest.mark.parametrize("form", [{"refresh_token": None}, {"refresh_token": ""},
                                  {"grant_type": "password"}, {"grant_type": None}])
def test_a_form_that_lacks_something_is_refused(ms, form):
    assert ms.app.token(**{"grant_type": "refresh_token", **form}).status_code == 400


def test_a_token_cut_short_is_an_invalid_grant(ms):
    answer = ms.app.refresh(ms.refresh_token[:-20])
    assert error_of(answer) == (400, "invalid_grant")


def test_a_code_that_nobody_issued_is_an_invalid_grant(ms):
    answer = ms.app.redeem("0.AXoAnonsense", "v" * 43)
    assert error_of(answer) == (400, "invalid_grant")


def test_a_wrong_secret_is_the_applications_fault(ms):
    answer = ms.app.refresh(ms.refresh_token, client_secret="wrong")
    assert error_of(answer) == (401, "invalid_client")
    assert answer.json()["error_codes"] == [7000215]


def test_an_application_that_nobody_registered_is_refused(ms):
    answer = ms.app.refresh(ms.refresh_token, client_id="5d2c7a3e-0000-4000-8000-3f2a6c1d9e11")
    assert error_of(answer) == (400, "unauthorized_client")


def test_graph_answers_a_broken_token_with_a_challenge(ms):
    for token in ("nonsense", ms.tokens["access_token"][:-20]):
        answer = microsoft.Graph(ms.graph_url, token).call("GET", "/me")
        assert microsoft.refusal(answer) == (401, "InvalidAuthenticationToken")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
