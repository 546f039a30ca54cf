# METADATA
# title: Every merged change names a ticket
# description: >-
#   Judges each merged change by whether its branch, its title or the first lines of its text named a ticket when it was merged. A
#   branch cannot be renamed after the merge, and a title's changes are known; a text's are not, so a link that stands only
#   there counts if nothing about the change was touched since. No ticket system is asked: that the ticket exists, and
#   was there and approved before the merge, is unknown unless a link is trusted by parameter.
# custom:
#   contract: 1
#   id: GH-12
#   population: linked_changes
#   controls: [changes-ticketed]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     pattern: '(^|[^A-Za-z0-9])[A-Z][A-Z0-9]{1,9}-[0-9]{1,9}($|[^A-Za-z0-9])'   # what the name of a ticket looks like
#     text_lines: 5                  # so many first lines of the text are looked at, without comments
#     exempt_types: []               # types of authors whose changes need no ticket, such as Bot
#     trust_link: false              # does a link count as a ticket?
#     settle_s: 10                   # an update within so many seconds of the merge is the merge's own
#   needs:
#     steps: []
#     fields: [title, merged_at, updated_at, user.type, head.ref]
package github.tickets

import data.lib.row

exempt if input.row.user.type in input.params.exempt_types

not_applicable contains "author.exempt" if exempt

merged := time.parse_rfc3339_ns(input.row.merged_at) if is_string(input.row.merged_at)

updated := time.parse_rfc3339_ns(input.row.updated_at) if is_string(input.row.updated_at)

usable if regex.is_valid(input.params.pattern)

judged if {
	not exempt
	usable
	is_number(merged)
	is_number(updated)
	is_string(input.row.title)
	is_string(input.row.head.ref)
	is_string(text)
}

names(words) if regex.match(input.params.pattern, words)

# --- the text ---------------------------------------------------------------------------------------------------

text := "" if object.get(input.row, "body", "") == null

text := input.row.body if is_string(input.row.body)

# What a template says in comments is nobody's word.
plain := regex.replace(replace(text, "\r", ""), `(?s)<!--.*?(-->|$)`, "")

filled := [line | some line in split(plain, "\n"); trim_space(line) != ""]

text_named if {
	some i, line in filled
	i < input.params.text_lines
	names(line)
}

# --- the title at the merge -------------------------------------------------------------------------------------

events_seen if {
	row.seen("events")
	is_array(input.row.events)
}

# Since the merge it was called otherwise; the first renaming tells what it was called before.
renamed contains [time.parse_rfc3339_ns(event.created_at), event.id, event.rename.from] if {
	some event in input.row.events
	event.event == "renamed"
	time.parse_rfc3339_ns(event.created_at) > merged
}

first := min(renamed)

title_then := input.row.title if {
	events_seen
	count(renamed) == 0
}

title_then := first[2] if {
	events_seen
	count(renamed) > 0
}

title_then := input.row.title if {
	not events_seen
	untouched
}

untouched if updated - merged <= input.params.settle_s * 1000000000

# --- what is said -----------------------------------------------------------------------------------------------

linked if names(input.row.head.ref)

linked if names(title_then)

linked if {
	untouched
	text_named
}

# It stands there now.
shown if names(input.row.title)

shown if text_named

failed contains "ticket.none" if {
	judged
	not linked
	not shown
}

unknown contains "link.after_merge" if {
	judged
	not linked
	shown
}

unknown contains "ticket.unverified" if {
	judged
	linked
	input.params.trust_link == false
}

unknown contains "pattern.unusable" if not usable

passed if {
	judged
	linked
	input.params.trust_link == true
}
