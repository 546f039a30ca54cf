# Accounts of a directory: who may bind, since when not, whose they are, and by which names registers may call them.
package lib.account

import data.lib.directory
import data.lib.people

# Locked by somebody, until he unlocks it (draft-behera-ldap-password-policy 5.3.3).
for_good(user) if user.pwdAccountLockedTime == "000001010000Z"

shut(user, _) if for_good(user)

shut(user, now) if directory.generalized_ns(user.pwdEndTime) <= now

# An end that cannot be read is not "none".
unclear(user, _) if {
	user.pwdEndTime
	not is_number(directory.generalized_ns(user.pwdEndTime))
}

active(user, now) if {
	is_string(user.entryUUID)
	not shut(user, now)
	not unclear(user, now)
}

# since(user, now): since when it is shut, as far as the directory knows; null: nobody does.
since(user, now) := at if {
	not for_good(user)
	at := directory.generalized_ns(user.pwdEndTime)
	at <= now
} else := null

# state(user, now): as leavers are judged by.
state(user, now) := {"active": true, "disabled": null} if active(user, now)

state(user, now) := {"active": false, "disabled": since(user, now)} if shut(user, now)

state(user, now) := {"active": null, "disabled": null} if {
	unclear(user, now)
	not shut(user, now)
}

names(user) := array.concat([user.entryUUID, user.dn], object.get(user, "uid", []))

owners(user) := {person |
	some login in array.concat(object.get(user, "uid", []), [""])
	some mail in array.concat(object.get(user, "mail", []), [""])
	some person in people.found("ldap", login, mail)
}
