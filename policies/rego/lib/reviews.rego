# Decisions of access reviews, of the register `access_reviews`. Policies that import this join it.
package lib.reviews

import data.lib.when

# of(system, names): the decisions about an account, by any of its names or ids.
of(system, names) := {line |
	wanted := {lower(name) | some name in names; is_string(name)}
	some line in input.joined.access_reviews
	line.system == system
	lower(line.account) in wanted
}

# taken(lines, now): those that were decided by then.
taken(lines, now) := {line | some line in lines; when.ns(line.decided) <= now}

# newest(lines): the instant of the last decision.
newest(lines) := max([at | some line in lines; at := when.ns(line.decided)])

# verdict(account, now, limit): `{state, codes, until}` of the obligation that every account is reviewed each `every_days`.
# `account` is `{system, names, email, created}`; `created` in nanoseconds, from which the first review is reckoned.
verdict(account, now, limit) := told if {
	lines := taken(of(account.system, account.names), now)
	count(lines) > 0
	until := newest(lines) + (limit.every_days * when.day_ns)
	told := reviewed(account, {line | some line in lines; when.ns(line.decided) == newest(lines)}, until, now)
}

verdict(account, now, limit) := told if {
	count(taken(of(account.system, account.names), now)) == 0
	told := unreviewed(account.created, now, limit)
}

unreviewed(created, now, limit) := {"state": "not_due", "codes": set(), "until": when.text(until)} if {
	until := created + (limit.every_days * when.day_ns)
	now <= until
}

unreviewed(created, now, limit) := {"state": "failed", "codes": {"review.missing"}} if created + (limit.every_days * when.day_ns) < now

unreviewed(created, _, _) := {"state": "unknown", "codes": {"account.created_unknown"}} if not is_number(created)

reviewed(_, _, until, now) := {"state": "failed", "codes": {"review.overdue"}} if until < now

reviewed(account, lines, until, now) := {"state": "failed", "codes": faults} if {
	until >= now
	faults := {code | some line in lines; some code in line_faults(line, account)}
	count(faults) > 0
}

reviewed(account, lines, until, now) := {"state": "passed", "codes": set()} if {
	until >= now
	count({code | some line in lines; some code in line_faults(line, account)}) == 0
}

line_faults(line, account) := {code |
	some [code, holds] in [
		["review.undecided", object.get(line, "decision", "") == ""],
		["review.no_rationale", object.get(line, "rationale", "") == ""],
		["review.no_reviewer", object.get(line, "reviewer", "") == ""],
		["review.by_subject", object.get(line, "reviewer", "") == object.get(account, "email", "-")],
	]
	holds
}
