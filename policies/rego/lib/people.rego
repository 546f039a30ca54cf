# People of the roster, found by what an account says of itself: the pseudonym of its e-mail address, or a login that the roster
# lists (`logins`, as "github:ann"). A policy that imports this joins `people`, and one that does not find exactly one person says
# `unknown`: an account without a person is not yet anybody's fault.
package lib.people

import data.lib.when

# found(system, login, email): the rows of whoever this account may belong to. What an account does not have is "".
found(system, login, email) := by_email(email) | by_login(system, login)

# by_email(email): a person's item is the pseudonym itself, so that no list is gone through for who is on it.
by_email(email) := {person | person := input.joined.people[trim_prefix(email, "hmac:")]} if {
	input.joined.people[trim_prefix(email, "hmac:")]
} else := {person |
	is_string(email)
	startswith(email, "hmac:")
	some person in input.joined.people
	person.email == email
}

# items(people): as what they stand in the roster, for the rule `matched`.
items(people) := {trim_prefix(person.email, "hmac:") | some person in people}

by_login(system, login) := {person |
	is_string(login)
	login != ""
	wanted := concat(":", [system, lower(login)])
	some person in input.joined.people
	some known in person.logins
	lower(known) == wanted
}

# lack(people): why these rows are not one person, in a code.
lack(people) := "person.unmatched" if count(people) == 0

lack(people) := "person.ambiguous" if count(people) > 1

# left_ns(person, zone): the end of the last day there, or the instant that the roster states; nothing for who stays.
left_ns(person, _) := when.ns(person.ends_at)

left_ns(person, zone) := when.day_end(person.ends, zone) if not person.ends_at

# unclear(person): an end that cannot be read is not "none".
unclear(person) if {
	some field in ["ends", "ends_at"]
	person[field]
	not is_number(when.ns(person[field]))
}

left(person, now) if left_ns(person, "UTC") <= now

# current(person, now): works here now.
current(person, now) if {
	not left(person, now)
	not unclear(person)
	not later(person, now)
}

later(person, now) if when.ns(person.starts) > now
