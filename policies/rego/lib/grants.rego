# Approvals of the register `approvals`: who may hold or be given what, from when until when, approved by somebody else. A line
# whose `what` is `*` approves everything of that system for its subject, and a subject that is a role or a group of a birthright
# rule approves whoever comes by it. Policies that import this join `approvals`.
package lib.grants

import data.lib.when

# of(system, subjects, what): the lines that speak of one of these subjects (pseudonym, login, id) and of this.
of(system, subjects, what) := {line |
	wanted := {lower(subject) | some subject in subjects; is_string(subject)}
	some line in object.get(input.joined, "approvals", {})
	line.system == system
	lower(line.subject) in wanted
	lower(line.what) in {lower(what), "*"}
}

# standing(system, subjects, what, at): approved, at that instant, by somebody else.
standing(system, subjects, what, at) if {
	some line in of(system, subjects, what)
	stands(line, subjects, at)
}

# lack(system, subjects, what, at): why not, as a code.
lack(system, subjects, what, _) := "approval.none" if count(of(system, subjects, what)) == 0

lack(system, subjects, what, at) := "approval.by_subject" if {
	lines := of(system, subjects, what)
	count(lines) > 0
	not standing(system, subjects, what, at)
	every line in lines {
		not by_other(line, subjects)
	}
}

lack(system, subjects, what, at) := why if {
	not standing(system, subjects, what, at)
	others := {line | some line in of(system, subjects, what); by_other(line, subjects)}
	count(others) > 0
	why := when_not(others, at)
}

when_not(lines, at) := "approval.late" if {
	every line in lines {
		not when.ns(line.approved) <= at
	}
}

when_not(lines, at) := "approval.lapsed" if {
	some line in lines
	when.ns(line.approved) <= at
}

stands(line, subjects, at) if {
	by_other(line, subjects)
	when.ns(line.approved) <= at
	when.ns(line.from) <= at
	at < when.ns(line.until)
}

by_other(line, subjects) if {
	is_string(line.approver)
	line.approver != ""
	not line.approver in subjects
	line.approver != line.subject
}
