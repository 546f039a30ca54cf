# Accounts of Entra: whose they are, and by which names registers may call them.
package lib.account

import data.lib.people

active(user) if user.accountEnabled == true

shut(user) if user.accountEnabled == false

unclear(user) if not is_boolean(user.accountEnabled)

names(user) := [user.id, text(user, "userPrincipalName"), text(user, "mail")]

owners(user) := people.found("entra", text(user, "userPrincipalName"), text(user, "mail"))

# An account may have no address.
text(user, field) := user[field] if is_string(user[field])

text(user, field) := "" if not is_string(user[field])

# with_id(id): the account of that id, in the list of users.
with_id(id) := {user | some user in input.joined.entra_users; user.id == id}
