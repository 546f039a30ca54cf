# Accounts of Active Directory: who may sign in, since when not, whose they are, and by which names registers may call them.
package lib.account

import data.lib.directory
import data.lib.people

# Bits of userAccountControl. They are asked by functions: regorus takes a function for undefined after another module has read
# a constant beside it.
off(user) if directory.bit(user.userAccountControl, 2)

password_not_required(user) if directory.bit(user.userAccountControl, 32)

password_reversible(user) if directory.bit(user.userAccountControl, 128)

password_for_ever(user) if directory.bit(user.userAccountControl, 65536)

des_only(user) if directory.bit(user.userAccountControl, 2097152)

no_preauthentication(user) if directory.bit(user.userAccountControl, 4194304)

clear(user) if {
	directory.number(user.userAccountControl)
	endless(user)
}

clear(user) if {
	directory.number(user.userAccountControl)
	is_number(directory.filetime_ns(user.accountExpires))
}

endless(user) if directory.is_never(object.get(user, "accountExpires", "0"))

unclear(user) if not clear(user)

shut(user, _) if off(user)

shut(user, now) if expired(user) <= now

# When it ended, if it did or will.
expired(user) := directory.filetime_ns(user.accountExpires) if not endless(user)

active(user, now) if {
	clear(user)
	not shut(user, now)
}

# since(user, now): since when it is shut, as far as the directory knows; null: nobody does.
since(user, now) := expired(user) if {
	expired(user) <= now
} else := null

# state(user, now): as leavers are judged by.
state(user, now) := {"active": true, "disabled": null} if active(user, now)

state(user, now) := {"active": false, "disabled": since(user, now)} if shut(user, now)

state(user, now) := {"active": null, "disabled": null} if {
	unclear(user)
	not shut(user, now)
}

names(user) := [user.objectGUID, user.objectSid, text(user, "sAMAccountName"), text(user, "userPrincipalName"), text(user, "dn")]

owners(user) := people.found("ad", text(user, "sAMAccountName"), text(user, "mail")) | people.by_login("ad", text(user, "userPrincipalName"))

text(user, field) := user[field] if is_string(user[field])

text(user, field) := "" if not is_string(user[field])
