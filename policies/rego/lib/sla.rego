# Alerts that must be closed in time.
package lib.sla

import data.lib.when

# due(created, days): the instant until which it may be open, in nanoseconds.
due(created, days) := when.after(created, days)

# until(created, days): the same as text.
until(created, days) := time.format(due(created, days))

# approved_by_other(who, by): somebody else than the one who closed it agreed.
approved_by_other(reviewer, closer) if {
	is_number(reviewer.id)
	is_number(closer.id)
	reviewer.id != closer.id
}
