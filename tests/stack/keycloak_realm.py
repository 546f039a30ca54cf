#!/usr/bin/env python3
"""Fills a realm `acme` by Keycloak's admin interface: keycloak_realm.py BASE PUBLIC_KEY.pem

130 accounts (one in ten disabled, `user001` an administrator by a group, `user002` with a one-time password), and clients:
observance (a secret), signer (a key), blind (may not see accounts), bare (query-users alone). Then one sign-in.
"""
import json
import sys
import urllib.parse
import urllib.request

base, public_key = sys.argv[1:]
READS = ["view-realm", "view-users", "view-clients", "view-events"]
PASSWORD = "correct horse battery"


def token(realm, **form):
    body = urllib.parse.urlencode(form).encode()
    return json.load(urllib.request.urlopen(f"{base}/realms/{realm}/protocol/openid-connect/token", body))["access_token"]


def ask(verb, path, body=None):
    headers = {"authorization": f"Bearer {admin}", "content-type": "application/json"}
    request = urllib.request.Request(
        f"{base}/admin/realms{path}", method=verb, headers=headers, data=None if body is None else json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        made = answer.headers.get("Location")
    return made.rsplit("/", 1)[1] if made else json.loads(text) if text else None


def client(name, roles, **more):
    plain = {"clientId": name, "serviceAccountsEnabled": True, "standardFlowEnabled": False, "fullScopeAllowed": False}
    made = ask("POST", "/acme/clients", {**plain, **more})
    account = ask("GET", f"/acme/clients/{made}/service-account-user")["id"]
    given = [ask("GET", f"/acme/clients/{management}/roles/{role}") for role in roles]
    ask("POST", f"/acme/users/{account}/role-mappings/clients/{management}", given)
    ask("POST", f"/acme/clients/{made}/scope-mappings/clients/{management}", given)


def user(number):
    otp = {
        "type": "otp",
        "secretData": '{"value":"JBSWY3DPEHPK3PXP"}',
        "credentialData": '{"subType":"totp","digits":6,"counter":0,"period":30,"algorithm":"HmacSHA1"}',
    }
    name = f"user{number:03}"
    credentials = [{"type": "password", "value": PASSWORD, "temporary": False}] + ([otp] if number == 2 else [])
    told = {"username": name, "email": f"{name}@acme.example", "firstName": "U", "lastName": name, "emailVerified": True}
    return ask("POST", "/acme/users", {**told, "enabled": number % 10 != 0, "credentials": credentials})


admin = token("master", client_id="admin-cli", username="admin", password="admin", grant_type="password")
ask(
    "POST",
    "",
    {
        "realm": "acme",
        "enabled": True,
        "passwordPolicy": "length(12) and notUsername(undefined) and hashIterations(5)",
        "bruteForceProtected": True,
        "failureFactor": 5,
        "eventsEnabled": True,
        "eventsExpiration": 31536000,
        "adminEventsEnabled": True,
        "adminEventsDetailsEnabled": True,
    },
)
management = ask("GET", "/acme/clients?clientId=realm-management")[0]["id"]
client("observance", READS, secret="observance-secret")
pem = "".join(line for line in open(public_key).read().split("\n") if not line.startswith("-"))
client("signer", READS, clientAuthenticatorType="client-jwt", attributes={"jwt.credential.public.key": pem})
client("blind", ["view-realm", "view-clients"], secret="blind-secret")
client("bare", ["view-realm", "view-clients", "query-users"], secret="bare-secret")
users = [user(number) for number in range(130)]
group = ask("POST", "/acme/groups", {"name": "operators"})
ask("POST", f"/acme/groups/{group}/role-mappings/clients/{management}", [ask("GET", f"/acme/clients/{management}/roles/manage-users")])
ask("PUT", f"/acme/users/{users[1]}/groups/{group}")
ask("POST", "/acme/clients", {"clientId": "shop", "publicClient": True, "directAccessGrantsEnabled": True})
token("acme", client_id="shop", username="user003", password=PASSWORD, grant_type="password")
