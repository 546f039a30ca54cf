#!/bin/sh
# What keycloak grants, to read alone. Made from the collectors by: observance collectors permissions keycloak
#   view-clients: keycloak.clients, keycloak.users
#   view-events: keycloak.admin_events, keycloak.events, keycloak.realm
#   view-realm: keycloak.admin_events, keycloak.clients, keycloak.events, keycloak.realm, keycloak.users
#   view-users: keycloak.clients, keycloak.users
# The client has a service account, and no other way to sign in. Log in first: kcadm.sh config credentials ..; then
# REALM=acme CLIENT=observance sh keycloak.sh. The realm `master` has no client realm-management, and is not read.
# needs the role view-clients (keycloak.clients clients)
# needs the role view-events (keycloak.admin_events acts, keycloak.events sign_ins, keycloak.realm config)
# needs the role view-realm (keycloak.realm realm)
# needs the role view-users (keycloak.users users)
set -eu
kcadm.sh add-roles -r "$REALM" --uusername "service-account-$CLIENT" --cclientid realm-management \
  --rolename view-clients \
  --rolename view-events \
  --rolename view-realm \
  --rolename view-users
