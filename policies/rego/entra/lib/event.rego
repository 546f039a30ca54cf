# Events of Entra's audit log by which somebody is given something. Policies that import this join `approvals` and `entra_users`.
package lib.event

import data.lib.account
import data.lib.grants
import data.lib.when

at := when.ns(input.row.activityDateTime)

succeeded if input.row.result == "success"

# What the event names: what was changed stands in quotes, and things may have a name.
whats contains trim(text, "\"") if {
	some text in input.row.named
	trim(text, "\"") != ""
}

whats contains thing.name if {
	some thing in input.row.things
	is_string(thing.name)
	thing.name != ""
}

names(subject) := array.concat(
	[subject.id, object.get(subject, "login", "")],
	[user.mail | some user in account.with_id(subject.id); is_string(user.mail)],
)

# Somebody who is in no list of users may be approved by a name that nobody sees here.
known(subject) if not is_string(subject.login)

known(subject) if count(account.with_id(subject.id)) > 0

# lacking(things): what stands against it, as {["failed" | "unknown", code]}.
lacking(things) := {[state(subject), code(subject, why)] |
	some subject in input.row.subjects
	some what in things
	why := grants.lack("entra", names(subject), what, at)
}

state(subject) := "failed" if known(subject)

state(subject) := "unknown" if not known(subject)

code(subject, why) := why if known(subject)

code(subject, _) := "account.unmatched" if not known(subject)
