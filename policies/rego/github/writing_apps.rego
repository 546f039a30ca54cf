# METADATA
# title: Apps that can write code are approved to
# description: >-
#   Judges each installed app that may write contents, workflows or administration, by a list that the organisation
#   declares. Apps that cannot are not applicable here; that every app is approved at all is GH-17.
# custom:
#   contract: 1
#   id: GH-03-apps
#   population: installations
#   controls: [write-access]
#   empty: not_applicable
#   severity: high
#   parameters:
#     approved: {}    # the app's short name: { by, from, until }
#   needs:
#     steps: [installations]
#     fields: [app_slug, permissions]
package github.writing_apps

import data.lib.approval

writes contains name if {
	some name in {"contents", "workflows", "administration"}
	input.row.permissions[name] in {"write", "admin"}
}

judged if {
	is_object(input.row.permissions)
	is_string(input.row.app_slug)
}

not_applicable contains "app.reads" if {
	judged
	count(writes) == 0
}

lack := approval.lack(input.params.approved, input.row.app_slug, time.now_ns()) if count(writes) > 0

failed contains sprintf("app.%s", [lack]) if lack != "undeclared"

unknown contains "approved.undeclared" if lack == "undeclared"

passed if {
	judged
	count(writes) > 0
	not lack
}

messages contains sprintf("%s may write %s", [input.row.app_slug, concat(", ", sort(writes))]) if {
	count(writes) > 0
	lack
}
