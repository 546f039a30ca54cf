# METADATA
# title: Every bypass of a rule was reviewed afterwards by somebody else
# description: >-
#   Judges what was done about each push of the last week that bypassed a rule of a default branch: within the time limit somebody
#   other than who pushed must have looked at it, which the parameters say by the number of the rule suite. Until the limit has run out
#   it is not due. That the bypass happened is judged by GH-10 and stays a deviation, reviewed or not. A label on
#   the change counts for nothing: whoever bypasses may set it.
# custom:
#   contract: 1
#   id: GH-10-review
#   population: recent_bypasses
#   controls: [branch-rules]
#   empty: not_applicable
#   severity: high
#   parameters:
#     within_h: 72          # hours from the push
#     reviewed: {}          # number of the rule suite: { reviewer: login, at: instant }
#   needs:
#     fields: [id, result, actor_name, pushed_at]
package github.bypass_reviews

hour_ns := 3600000000000

pushed := time.parse_rfc3339_ns(input.row.pushed_at) if is_string(input.row.pushed_at)

due := pushed + (input.params.within_h * hour_ns)

now_ns := time.parse_rfc3339_ns(input.now)

judged if {
	input.row.result == "bypass"
	is_number(pushed)
	is_number(now_ns)
	is_string(input.row.actor_name)
}

key := format_int(input.row.id, 10) if is_number(input.row.id)

review := input.params.reviewed[key]

reviewed_at := time.parse_rfc3339_ns(review.at) if is_string(review.at)

readable if {
	is_string(review.reviewer)
	review.reviewer != ""
	is_number(reviewed_at)
	reviewed_at >= pushed
	reviewed_at <= now_ns
}

by_other if lower(review.reviewer) != lower(input.row.actor_name)

good if {
	readable
	by_other
	reviewed_at <= due
}

failed contains "review.by_actor" if {
	judged
	readable
	not by_other
}

failed contains "review.late" if {
	judged
	readable
	by_other
	reviewed_at > due
}

failed contains "review.none" if {
	judged
	not review
	now_ns > due
}

# Before the push or after this run: nobody can have looked then.
unknown contains "review.unreadable" if {
	judged
	review
	not readable
}

unknown contains "bypass.unreadable" if {
	is_string(input.row.result)
	input.row.result != "bypass"
}

not_due := concat("", [time.format([due, "UTC", "2006-01-02T15:04:05.000"]), "Z"]) if {
	judged
	not review
	now_ns <= due
}

passed if {
	judged
	good
}
