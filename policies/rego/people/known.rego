# METADATA
# title: The roster names each person once, and no login twice
# description: >-
#   Judges each person who works here by the roster itself: an e-mail address, an id that no other line has, and logins that no
#   other line claims. Whose account it is could otherwise be told in two ways. A roster that nobody signed can be written by
#   whoever can write the file; of such a one nothing is called good unless `signed: false` says that this is wanted.
# custom:
#   contract: 1
#   id: ID-13-people
#   population: people
#   joined: [people]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters: { signed: true }
#   needs:
#     fields: [email, id, starts]
package people.known

import data.lib.people
import data.lib.when

row := input.row

gone if people.left(row, time.now_ns())

not_applicable contains "person.left" if gone

unknown contains "person.unclear" if people.unclear(row)

unknown contains "person.unclear" if not is_number(when.ns(row.starts))

# A source that states nothing about signatures is no file.
unknown contains "register.unsigned" if {
	input.params.signed
	row.signed_by == null
}

# A line is known by its address, which no other line of a list that is read whole has.
others := [other | some other in input.joined.people; other.email != row.email]

failed contains "person.id_shared" if {
	not gone
	some other in others
	other.id == row.id
}

failed contains "login.shared" if {
	not gone
	own := {lower(login) | some login in row.logins}
	some other in others
	some login in other.logins
	lower(login) in own
}

failed contains "person.own_manager" if {
	not gone
	row.manager == row.email
}

passed if {
	startswith(row.email, "hmac:")
	is_string(row.id)
	not gone
}
