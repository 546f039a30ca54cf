# The register of accounts that are no person (services, bots, AI agents, apps, tokens, keys, shared ones) and of second accounts
# of people (administration, break glass). Policies that import this join `service_accounts`, or name it as optional.
package lib.services

import data.lib.people
import data.lib.when

no_person := {"service", "bot", "agent", "app", "token", "key", "shared"}

# of(system, names): the lines of the register for an account, by any of its names or ids.
of(system, names) := {line |
	wanted := {lower(name) | some name in names; is_string(name)}
	some line in object.get(input.joined, "service_accounts", {})
	line.system == system
	lower(line.account) in wanted
}

# person_like(system, names): the register does not say that it is something else than a person's account.
person_like(system, names) if {
	every line in of(system, names) {
		not line.kind in no_person
	}
}

# kind(system, names): what the register says it is.
kinds(system, names) := {line.kind | some line in of(system, names)}

# findings(line, now, limit): what stands against a line, or leaves it open, as {["failed" | "unknown", code]}: issued, owned,
# rotated, reviewed, and with an end. `limit` has rotate_days and review_days. It needs `people` joined.
findings(line, now, limit) := {finding |
	some finding in array.concat(
		array.concat(
			[one | some one in owner(line, now)],
			[one | some one in end(line, now)],
		),
		array.concat(
			[one | some one in age(line, "reviewed", limit.review_days, now)],
			[one | some one in age(line, "rotated", limit.rotate_days, now); line.kind in rotated_kinds],
		),
	)
}

# What has a secret of its own.
rotated_kinds := {"service", "bot", "agent", "app", "token", "key", "shared", "break_glass"}

owner(line, _) := {["failed", "service.ownerless"]} if object.get(line, "owner", "") == ""

owner(line, now) := finding if {
	object.get(line, "owner", "") != ""
	finding := of_owner(people.by_email(line.owner), now)
}

of_owner(found, _) := {["unknown", "service.owner_unmatched"]} if count(found) != 1

of_owner(found, now) := {["failed", "service.owner_left"]} if {
	count(found) == 1
	some person in found
	not people.current(person, now)
}

of_owner(found, now) := set() if {
	count(found) == 1
	some person in found
	people.current(person, now)
}

end(line, _) := {["failed", "service.endless"]} if object.get(line, "expires", "") == ""

end(line, now) := {["failed", "service.expired"]} if when.ns(line.expires) <= now

end(line, now) := set() if when.ns(line.expires) > now

end(line, _) := {["unknown", "service.unclear"]} if {
	object.get(line, "expires", "") != ""
	not is_number(when.ns(line.expires))
}

# What was never done counts from the day of issue, and is open where nobody wrote that down.
age(line, what, days, now) := {["failed", concat("", ["service.", what, "_overdue"])]} if when.after(since(line, what), days) < now

age(line, what, days, now) := set() if when.after(since(line, what), days) >= now

age(line, what, days, _) := {["unknown", concat("", ["service.", what, "_unknown"])]} if {
	not is_number(when.after(since(line, what), days))
}

since(line, what) := object.get(line, what, object.get(line, "issued", ""))
