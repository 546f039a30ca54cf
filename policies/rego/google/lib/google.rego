# Users and events of a Google Workspace as its own interface tells them.
package lib.google

import data.lib.services

# live(row): may sign in now. What is not told is neither.
live(row) if {
	row.suspended == false
	row.archived == false
}

# shut(row): may not.
shut(row) if row.suspended == true

shut(row) if row.archived == true

# person(row): the register does not say that it is something else.
person(row) if services.person_like("google", [row.id, row.primaryEmail])

# event(row, name): the one of an entry's events that has this name.
event(row, name) := one if {
	some one in row.events
	one.name == name
}

# value(event, name): what stands beside it under this name.
value(event, name) := one.value if {
	some one in event.parameters
	one.name == name
}

values(event, name) := one.multiValue if {
	some one in event.parameters
	one.name == name
}
