# METADATA
# title: Every installed app is approved
# description: >-
#   Judges each app that is installed in the organisation by a list that the organisation declares. An app whose rights or
#   repositories changed after its approval began needs a new one. Apps do not expire at the source; the approval does.
#   Which of them can write code is GH-03-apps. Classic tokens of people are invisible to any credential of the organisation:
#   none of GH-17 speaks of them.
# custom:
#   contract: 1
#   id: GH-17
#   population: installations
#   controls: [machine-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     approved: {}             # the app's short name: { by, from, until }
#     changes_allowed: false   # true: an approval outlives changes of the installation
#   needs:
#     steps: [installations]
#     fields: [app_slug, updated_at]
package github.apps

import data.lib.approval
import data.lib.when

app := input.row.app_slug

suspended if is_string(input.row.suspended_at)

not_applicable contains "app.suspended" if suspended

lack := approval.lack(input.params.approved, app, time.now_ns()) if not suspended

failed contains sprintf("app.%s", [lack]) if lack != "undeclared"

unknown contains "approved.undeclared" if lack == "undeclared"

standing if {
	not suspended
	approval.standing(input.params.approved, app, time.now_ns())
}

changed if {
	not input.params.changes_allowed
	when.ns(input.row.updated_at) > when.ns(input.params.approved[app].from)
}

failed contains "app.changed" if {
	standing
	changed
}

passed if {
	standing
	is_number(when.ns(input.row.updated_at))
	not changed
}

messages contains sprintf("changed at %s", [input.row.updated_at]) if failed["app.changed"]
