# Whether the access of somebody who leaves went in time. Two clocks run: from the end of the last day, and from the instant at
# which the roster was told. The first decides; a failure that lies within the second says so (`leaver.notified_late`), because
# then somebody else was late.
#
# Parameters of a policy that imports this: within_h, clock (calendar | business), zone, holidays.
package lib.leavers

import data.lib.clock
import data.lib.people
import data.lib.when

# due(person, limit): until when access must be gone, by both clocks, in nanoseconds.
due(person, limit) := object.union({"effective": clock.due(people.left_ns(person, limit.zone), limit)}, by_notice(person, limit))

by_notice(person, limit) := {"notified": clock.due(when.ns(person.notified), limit)} if is_number(when.ns(person.notified))

by_notice(person, _) := {} if not is_number(when.ns(person.notified))

# verdict(person, account, now, limit): `{state, codes, until}`. `account` is `{active, disabled}`: may it sign in now, and since
# when not (nanoseconds; null: nobody knows). null stands for: there is no account.
verdict(person, _, _, _) := {"state": "not_applicable", "codes": {"person.stays"}} if {
	not person.ends
	not person.ends_at
}

verdict(person, _, _, _) := {"state": "unknown", "codes": {"person.unclear"}} if people.unclear(person)

verdict(person, account, now, limit) := told if {
	not people.unclear(person)
	told := of_leaver(account, due(person, limit), now)
}

of_leaver(null, _, _) := {"state": "not_applicable", "codes": {"account.none"}}

of_leaver(account, limits, now) := {"state": "not_due", "codes": set(), "until": when.text(limits.effective)} if {
	account.active == true
	now <= limits.effective
}

of_leaver(account, limits, now) := {"state": "failed", "codes": {"leaver.active"} | late_notice(limits, now)} if {
	account.active == true
	now > limits.effective
}

of_leaver(account, limits, now) := {"state": "passed", "codes": set()} if {
	account.active == false
	in_time(account, limits, now)
}

of_leaver(account, limits, now) := {"state": "failed", "codes": {"leaver.late"} | late_notice(limits, account.disabled)} if {
	account.active == false
	is_number(account.disabled)
	not in_time(account, limits, now)
}

of_leaver(account, limits, now) := {"state": "unknown", "codes": {"leaver.when_unknown"}} if {
	account.active == false
	not is_number(account.disabled)
	not in_time(account, limits, now)
}

of_leaver(account, _, _) := {"state": "unknown", "codes": {"account.state_unknown"}} if {
	is_object(account)
	not is_boolean(object.get(account, "active", null))
}

in_time(account, limits, _) if {
	is_number(account.disabled)
	account.disabled <= limits.effective
}

# Whatever the instant was, it lies before now.
in_time(_, limits, now) if now <= limits.effective

late_notice(limits, at) := {"leaver.notified_late"} if at <= limits.notified

late_notice(limits, at) := set() if not at <= limits.notified
