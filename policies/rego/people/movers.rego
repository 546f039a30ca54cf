# METADATA
# title: Who moved had the access looked at
# description: >-
#   Judges each person who works here and changed department, title or manager: every login that the roster lists has a decision
#   of an access review, taken after the move and within so many days of it. Until then nothing is due. Logins that the roster
#   does not list are not seen; so whoever moved and has none listed is unknown. That a decision was carried out is not seen.
# custom:
#   contract: 1
#   id: ID-07-people
#   population: people
#   joined: [access_reviews]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: medium
#   parameters: { within_days: 30 }
#   needs:
#     fields: [email]
package people.movers

import data.lib.people
import data.lib.when

row := input.row

now := time.now_ns()

moved := when.ns(row.moved)

due := when.after(row.moved, input.params.within_days)

not_applicable contains "person.left" if people.left(row, now)

not_applicable contains "person.stayed" if not row.moved

unknown contains "person.unclear" if {
	row.moved
	not is_number(moved)
}

unknown contains "person.logins_unknown" if {
	row.moved
	count(object.get(row, "logins", [])) == 0
}

open contains login if {
	some login in row.logins
	not decided(login)
}

decided(login) if {
	some line in input.joined.access_reviews
	lower(concat(":", [line.system, line.account])) == lower(login)
	object.get(line, "decision", "") != ""
	at := when.ns(line.decided)
	at >= moved
	at <= due
	at <= now
}

not_due := when.text(due) if {
	count(open) > 0
	now <= due
}

failed contains "review.missing" if {
	not people.left(row, now)
	count(open) > 0
	now > due
}

passed if {
	is_number(moved)
	count(row.logins) > 0
	count(open) == 0
}
