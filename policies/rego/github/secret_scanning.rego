# METADATA
# title: Secret scanning and push protection are on
# description: >-
#   Judges each repository by the source's own settings, which are shown to administrators and owners alone: who may not see
#   them leaves it unknown. Where the plan lacks the feature the reason says so (`secret_scanning.unlicensed`): nothing
#   scans there, whoever is to blame. The alerts are GH-14-alerts, pushes past the protection GH-14-pushes. An archived repository
#   takes no pushes.
# custom:
#   contract: 1
#   id: GH-14
#   population: repository_security
#   controls: [secret-scanning]
#   empty: unknown
#   severity: high
#   parameters:
#     push_protection: true    # a push that holds a secret is stopped
#   needs:
#     steps: [repos]
#     fields: [archived, security_and_analysis]
package github.secret_scanning

settings := input.row.security_and_analysis

judged if {
	input.row.archived == false
	is_object(settings)
}

status(name) := object.get(settings, [name, "status"], "unseen")

not_applicable contains "repository.archived" if input.row.archived == true

unlicensed if {
	input.row.visibility in {"private", "internal"}
	status("advanced_security") == "disabled"
	not status("secret_scanning") == "enabled"
}

failed contains "secret_scanning.unlicensed" if {
	judged
	unlicensed
}

failed contains "secret_scanning.off" if {
	judged
	not unlicensed
	status("secret_scanning") == "disabled"
}

failed contains "push_protection.off" if {
	judged
	not unlicensed
	input.params.push_protection
	status("secret_scanning_push_protection") == "disabled"
}

wanted contains "secret_scanning"

wanted contains "secret_scanning_push_protection" if input.params.push_protection

unknown contains "secret_scanning.unseen" if {
	judged
	not unlicensed
	some name in wanted
	not status(name) in {"enabled", "disabled"}
}

passed if {
	judged
	every name in wanted { status(name) == "enabled" }
}
