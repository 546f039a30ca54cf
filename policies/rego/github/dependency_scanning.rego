# METADATA
# title: Dependencies are scanned for vulnerabilities
# description: >-
#   Judges each repository by whether the source raises alerts about its dependencies (Dependabot alerts). It says so in one
#   of two ways: "not off" (204, read as absent) or "disabled", in words. Every other answer is unknown. The alerts are
#   GH-15-alerts. An archived repository is not scanned.
# custom:
#   contract: 1
#   id: GH-15
#   population: repository_security
#   controls: [dependency-vulnerabilities]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [repos, dependabot_off]
#     fields: [archived]
package github.dependency_scanning

not_applicable contains "repository.archived" if input.row.archived == true

failed contains "dependabot.off" if {
	input.row.archived == false
	is_object(input.row.dependabot_off)
}

passed if {
	input.row.archived == false
	input.row._outcomes.dependabot_off == "absent"
}
