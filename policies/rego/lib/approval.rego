# Approvals that an organisation declares as a parameter, so that they stand in the log like any other:
#   approved: { "<what>": { by: "<who>", from: 2026-01-01, until: 2027-01-01 } }
# One without a name, a beginning and an end is none: everything expires.
package lib.approval

import data.lib.when

# standing(list, key, at): approved at this instant (nanoseconds).
standing(list, key, at) if {
	one := list[key]
	is_string(one.by)
	one.by != ""
	when.ns(one.from) <= at
	at < when.ns(one.until)
}

# given(list, key): it is on the list, whether or not the approval stands.
given(list, key) if is_object(list[key])

# lack(list, key, at): why it is not approved, in a word. An empty list says nothing of anybody.
lack(list, _, _) := "undeclared" if count(list) == 0

lack(list, key, _) := "unapproved" if {
	count(list) > 0
	not given(list, key)
}

lack(list, key, at) := "lapsed" if {
	given(list, key)
	not standing(list, key, at)
}
