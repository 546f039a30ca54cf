# METADATA
# title: Teams that can write code are approved to
# description: >-
#   Judges each team that may push to at least one repository which is not archived, by a list that the organisation
#   declares. A role of the organisation's own making counts as writing unless the source says that it cannot push.
# custom:
#   contract: 1
#   id: GH-03-teams
#   population: teams
#   controls: [write-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     approved: {}    # the team's short name: { by, from, until }
#   needs:
#     steps: [teams, team_repos]
#     fields: [slug]
package github.writing_teams

import data.lib.approval
import data.lib.row

judged if {
	row.seen("team_repos")
	is_array(input.row.repositories)
}

writes contains repository.full_name if {
	some repository in input.row.repositories
	repository.archived != true
	not reads(repository)
}

reads(repository) if repository.permissions.push == false

not_applicable contains "team.reads" if {
	judged
	count(writes) == 0
}

lack := approval.lack(input.params.approved, input.row.slug, time.now_ns()) if count(writes) > 0

failed contains sprintf("team.%s", [lack]) if lack != "undeclared"

unknown contains "approved.undeclared" if lack == "undeclared"

passed if {
	judged
	count(writes) > 0
	not lack
}

messages contains sprintf("%s can write to %d repositories", [input.row.slug, count(writes)]) if lack
