# The register of people and of service accounts that an organisation declares as parameters, by login in lower case:
#   people:   { ann: { person: E-17 }, ann-admin: { person: E-17, second: true }, bob: { person: E-9, until: 2026-03-31 } }
#   services: { deploy-bot: { owner: E-17, until: 2027-01-01 } }
# `second` registers a further account of the same person, such as one for administration. `id`, the source's own number
# of the account, may stand beside either and is then compared: a login can be given up, and taken by somebody else.
package lib.register

import data.lib.when

# What stands against the account, or leaves it open, as {["failed" | "unknown", code]}. Nothing: it is known.
findings(account, people, services, at) := {finding |
	some finding in array.concat(
		[one | some one in personal(account, people, services, at)],
		[one | some one in serving(account, people, services, at)],
	)
}

key(account) := lower(account.login) if is_string(account.login)

# Somebody works here.
current(person, people, at) if {
	some one in people
	one.person == person
	not left(one, at)
}

left(one, at) if when.ns(one.until) <= at

left(one, _) if {
	object.get(one, "until", null) != null
	not is_number(when.ns(one.until))
}

other(one, account) if {
	id := object.get(one, "id", null)
	id != null
	id != account.id
}

personal(account, people, _, _) := {["unknown", "account.unnamed"]} if not key(account)

personal(account, people, services, _) := {["unknown", code]} if {
	login := key(account)
	not people[login]
	not services[login]
	code := unlisted(people)
}

personal(account, people, _, at) := {finding |
	one := people[key(account)]
	some finding in of_person(one, account, people, at)
} if people[key(account)]

personal(account, people, services, _) := set() if {
	login := key(account)
	not people[login]
	services[login]
}

unlisted(people) := "register.undeclared" if count(people) == 0

unlisted(people) := "account.unmatched" if count(people) > 0

of_person(one, account, people, at) := array.concat(
	array.concat(
		[["failed", "person.left"] | left(one, at)],
		[["unknown", "account.other"] | other(one, account)],
	),
	array.concat(
		[["failed", "account.second"] | unregistered_second(one, people)],
		[["unknown", "register.unreadable"] | not is_string(one.person)],
	),
)

# More than one account of a person that is not registered as a further one.
unregistered_second(one, people) if {
	object.get(one, "second", false) != true
	count([login |
		some login, also in people
		also.person == one.person
		object.get(also, "second", false) != true
	]) > 1
}

serving(account, people, services, at) := array.concat(
	array.concat(
		[["failed", "service.expired"] | left(services[key(account)], at)],
		[["failed", "service.endless"] |
			one := services[key(account)]
			object.get(one, "until", null) == null
		],
	),
	array.concat(
		[["failed", "service.ownerless"] |
			one := services[key(account)]
			not current(object.get(one, "owner", null), people, at)
		],
		[["unknown", "account.other"] |
			one := services[key(account)]
			other(one, account)
		],
	),
)
