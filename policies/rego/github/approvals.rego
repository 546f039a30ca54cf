# METADATA
# title: Every merged change was approved before the merge by somebody who wrote none of it
# description: >-
#   Judges each merged change by its reviews and commits. An approval counts if a person gave it before the merge, on
#   the very commit that was merged, as that person's last decisive word, and is no author, committer or co-author of
#   any commit; and no member's objection may stand at the merge. What cannot be told (a deleted approver, a dismissed approval, a writer without an account) is unknown
#   where it matters. Reviews are as the source shows them when it is read, and it does not show who pushed; that an
#   approver could write at the time is not judged.
# custom:
#   contract: 1
#   id: GH-08
#   population: changes
#   controls: [changes-approved]
#   empty: not_applicable
#   severity: high
#   parameters:
#     approvals: 1           # least number of approvals that count
#     objections: false      # may a member's objection still stand at the merge?
#   needs:
#     steps: [reviews, commits]
#     fields: [merged_at, head.sha, reviews, commits]
package github.approvals

import data.lib.row

# Commits that the source makes in a writer's name; it is nobody.
web_flow := 19864447

# The source lists no more commits than this of one change.
commits_max := 250

judged if {
	row.seen("reviews")
	is_array(input.row.reviews)
	is_string(input.row.head.sha)
	is_number(merged)
}

merged := time.parse_rfc3339_ns(input.row.merged_at) if is_string(input.row.merged_at)

# --- who wrote it -----------------------------------------------------------------------------------------------

writers contains input.row.user.id

writers contains id if {
	some commit in input.row.commits
	id := commit.author.id
}

writers contains id if {
	some commit in input.row.commits
	id := commit.committer.id
	id != web_flow
}

writers contains id if {
	some commit in input.row.commits
	id := account(commit.commit.author.email)
}

writers contains id if {
	some email in co_authors
	id := account(email)
}

# 123+name@users.noreply.github.com names account 123.
account(email) := to_number(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`^([0-9]{1,18})\+[^@]+@users\.noreply\.github\.com$`, lower(email), 1)
	count(found) == 1
}

co_authors contains email if {
	some commit in input.row.commits
	some line in split(commit.commit.message, "\n")
	startswith(lower(trim_space(line)), "co-authored-by:")
	email := trailer_email(line)
}

trailer_email(line) := lower(found[0][1]) if {
	found := regex.find_all_string_submatch_n(`<([^<>]*)>`, line, 1)
	count(found) == 1
} else := lower(trim_space(line))

# Writers who are somebody, but nobody knows which account. Each may be one of the approvers.
strangers contains "author" if not is_number(input.row.user.id)

strangers contains key if {
	some commit in input.row.commits
	not is_number(commit.author.id)
	key := unmatched(object.get(commit, ["commit", "author", "email"], null), commit.sha)
}

strangers contains key if {
	some commit in input.row.commits
	not is_number(commit.committer.id)
	key := concat("", ["committer of ", commit.sha])
}

strangers contains email if {
	some email in co_authors
	not account(email)
}

unmatched(email, sha) := concat("", ["author of ", sha]) if not is_string(email)

unmatched(email, _) := lower(email) if {
	is_string(email)
	not account(email)
}

# --- who approved it --------------------------------------------------------------------------------------------

decisive := {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}

at(review) := time.parse_rfc3339_ns(review.submitted_at) if is_string(review.submitted_at)

before(review) if at(review) < merged

approvals contains review if {
	some review in input.row.reviews
	review.state == "APPROVED"
}

# Somebody's last decisive word before the merge.
last contains review if {
	some review in input.row.reviews
	review.state in decisive
	before(review)
	not overtaken(review)
}

overtaken(review) if {
	some later in input.row.reviews
	later.user.id == review.user.id
	later.state in decisive
	before(later)
	[at(later), later.id] > [at(review), review.id]
}

person(review) if review.user.type == "User"

independent(review) if {
	is_number(review.user.id)
	not review.user.id in writers
}

on_head(review) if review.commit_id == input.row.head.sha

good contains review.user.id if {
	some review in last
	review.state == "APPROVED"
	person(review)
	independent(review)
	on_head(review)
}

# Anybody may object to a public change; those count who belong to it, as far as the source says today.
belongs := {"OWNER", "MEMBER", "COLLABORATOR"}

objected if {
	some review in last
	review.state == "CHANGES_REQUESTED"
	person(review)
	review.author_association in belongs
}

objections_fit if input.params.objections == true

objections_fit if not objected

# --- approvals that may have counted ----------------------------------------------------------------------------

maybe contains ["approver.deleted", review.id] if {
	some review in approvals
	object.get(review, "user", null) == null
	on_head(review)
	before(review)
}

# The source shows today's state: a dismissal may have come after the merge, and of an approval or an objection.
maybe contains ["approval.dismissed", review.id] if {
	some review in last
	review.state == "DISMISSED"
	person(review)
	independent(review)
	on_head(review)
}

# Seconds are all that the source tells.
maybe contains ["approval.same_second", review.id] if {
	some review in approvals
	at(review) == merged
	person(review)
	independent(review)
	on_head(review)
}

maybe contains ["approval.unreadable", review.id] if {
	some review in approvals
	not is_number(at(review))
}

# --- what is said -----------------------------------------------------------------------------------------------

too_few if {
	judged
	count(good) < input.params.approvals
}

hopeless if {
	too_few
	count(good) + count(maybe) < input.params.approvals
}

# Why each approval that there is does not count.
reasons contains "approval.stale" if {
	some review in last
	review.state == "APPROVED"
	not on_head(review)
}

reasons contains "approval.by_writer" if {
	some review in approvals
	review.user.id in writers
}

reasons contains "approval.by_bot" if {
	some review in approvals
	is_object(review.user)
	not person(review)
}

reasons contains "approval.late" if {
	some review in approvals
	at(review) > merged
}

reasons contains "approval.withdrawn" if {
	some review in approvals
	some later in last
	later.user.id == review.user.id
	later.state != "APPROVED"
	before(review)
}

failed contains reason if {
	hopeless
	some reason in reasons
}

failed contains "approval.too_few" if {
	hopeless
	count(good) > 0
}

failed contains "approval.none" if {
	hopeless
	count(good) == 0
	count(reasons) == 0
}

failed contains "approval.objected" if {
	judged
	input.params.objections == false
	objected
}

unknown contains code if {
	too_few
	not hopeless
	some [code, _] in maybe
}

# Of n approvers at least n - k are none of k strangers.
unknown contains "writer.unmatched" if {
	judged
	count(good) >= input.params.approvals
	count(good) - count(strangers) < input.params.approvals
}

unknown contains "commits.too_many" if {
	judged
	count(input.row.commits) >= commits_max
}

passed if {
	judged
	row.seen("commits")
	count(input.row.commits) > 0
	count(input.row.commits) < commits_max
	count(good) - count(strangers) >= input.params.approvals
	objections_fit
}
