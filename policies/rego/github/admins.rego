# METADATA
# title: Every administrator of a repository is an owner or approved
# description: >-
#   Judges each repository by everybody who administers it, however the right was given. Owners administer every
#   repository and are judged by GH-04. Whoever administers a repository can change its rules, and so bypass them.
# custom:
#   contract: 1
#   id: GH-04-admins
#   population: repository_access
#   controls: [privileged-access]
#   empty: unknown
#   severity: high
#   parameters:
#     approved: {}       # login in lower case: { by, from, until }; for every repository
#     admins_max: 5      # besides the owners
#   needs:
#     steps: [collaborators, owners]
#     fields: [archived]
package github.admins

import data.lib.approval
import data.lib.row

judged if {
	input.row.archived == false
	is_array(input.row.collaborators)
	is_array(input.row.owners)
	every step in {"collaborators", "owners"} { row.seen(step) }
	every person in input.row.collaborators { is_boolean(person.permissions.admin) }
}

not_applicable contains "repository.archived" if input.row.archived == true

owners contains owner.id if some owner in input.row.owners

# Only where the owners are known can somebody be said to be none.
admins contains lower(person.login) if {
	input.row.archived == false
	row.seen("owners")
	is_array(input.row.owners)
	some person in input.row.collaborators
	person.permissions.admin == true
	not person.id in owners
}

lacking contains [login, lack] if {
	some login in admins
	lack := approval.lack(input.params.approved, login, time.now_ns())
}

failed contains sprintf("admin.%s", [lack]) if {
	some [_, lack] in lacking
	lack != "undeclared"
}

failed contains "admins.too_many" if count(admins) > input.params.admins_max

unknown contains "approved.undeclared" if some [_, "undeclared"] in lacking

passed if {
	judged
	count(lacking) == 0
}

messages contains sprintf("%s administers it: %s", [login, lack]) if some [login, lack] in lacking
