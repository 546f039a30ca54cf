# METADATA
# title: Every merged change names a ticket
# description: >-
#   Judges each change that was merged into a default branch by whether its branch, its title or the first lines of its text
#   named a ticket when it was merged. A branch cannot be renamed after the merge, a title's changes are known, and of a text
#   when it was last changed: a link that stands only there counts if that was no later than the merge. Of titles and texts the
#   words with a digit in them are seen, and a pattern is held against each. No ticket system is asked: that the ticket exists,
#   and was there and approved before the merge, is unknown unless a link is trusted by parameter.
# custom:
#   contract: 1
#   id: GH-12
#   population: tested_changes
#   controls: [changes-ticketed]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     pattern: '(^|[^A-Za-z0-9])[A-Z][A-Z0-9]{1,9}-[0-9]{1,9}($|[^A-Za-z0-9])'   # what the name of a ticket looks like
#     text_lines: 10                 # so many first lines of the text are looked at, empty ones not counted; forty are seen
#     exempt_types: []               # types of authors whose changes need no ticket, such as Bot
#     trust_link: false              # does a link count as a ticket?
#     settle_s: 10                   # an update within so many seconds of the merge is the merge's own
#   needs:
#     steps: []
#     fields: [title_words, merged_at, updated_at, user.type, base_ref, head_ref]
package github.tickets

exempt if input.row.user.type in input.params.exempt_types

not_applicable contains "author.exempt" if exempt

merged := time.parse_rfc3339_ns(input.row.merged_at) if is_string(input.row.merged_at)

updated := time.parse_rfc3339_ns(input.row.updated_at) if is_string(input.row.updated_at)

usable if regex.is_valid(input.params.pattern)

default_branch := input.row.repository.default_branch.name if is_string(input.row.repository.default_branch.name)

elsewhere if {
	is_string(input.row.base_ref)
	input.row.base_ref != default_branch
}

not_applicable contains "branch.other" if elsewhere

unknown contains "branch.unseen" if not is_string(default_branch)

judged if {
	not exempt
	usable
	input.row.base_ref == default_branch
	is_number(merged)
	is_number(updated)
	is_array(input.row.title_words)
	is_string(input.row.head_ref)
	is_array(input.row.text_words)
}

names(words) if regex.match(input.params.pattern, words)

any_names(words) if {
	some word in words
	names(word)
}

# --- the text ---------------------------------------------------------------------------------------------------

# What a template says in comments is nobody's word.
plain := regex.replace(concat("\n", lines), `(?s)<!--.*?(-->|$)`, " ")

lines := [concat(" ", line) |
	some i, line in input.row.text_words
	i < input.params.text_lines
]

text_named if names(plain)

# Nobody changed it since; the source says null where nobody ever did.
text_kept if input.row.edited_at == null

text_kept if {
	is_string(input.row.edited_at)
	time.parse_rfc3339_ns(input.row.edited_at) <= merged
}

# --- the title at the merge -------------------------------------------------------------------------------------

events := input.row.detail.renamed if is_array(input.row.detail.renamed)

# Also where the checks beside them may not be seen.
events_seen if {
	is_array(events)
	input.row.detail.renamed_whole == true
}

# Since the merge it was called otherwise; the first renaming tells what it was called before.
renamed contains [time.parse_rfc3339_ns(event.created_at), event.id, event.from] if {
	some event in events
	time.parse_rfc3339_ns(event.created_at) > merged
}

first := min(renamed)

title_then := input.row.title_words if {
	events_seen
	count(renamed) == 0
}

title_then := first[2] if {
	events_seen
	count(renamed) > 0
}

title_then := input.row.title_words if {
	not events_seen
	untouched
}

untouched if updated - merged <= input.params.settle_s * 1000000000

# --- what is said -----------------------------------------------------------------------------------------------

linked if names(input.row.head_ref)

linked if any_names(title_then)

linked if {
	text_kept
	text_named
}

# It stands there now.
shown if any_names(input.row.title_words)

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

unknown contains "pattern.unusable" if {
	not elsewhere
	not usable
}

passed if {
	judged
	linked
	input.params.trust_link == true
}
