# METADATA
# title: No session policy of the Classic Engine lets people in with one factor
# description: >-
#   Judges each session policy by its rules where the Classic Engine runs, in which it alone demands a second factor. In
#   the Identity Engine each application has an access policy of its own, which ID-01-okta judges, and this one does not
#   apply.
# custom:
#   contract: 1
#   id: ID-01-okta-session
#   population: okta_session_policies
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   needs: { fields: [id, status] }
package okta.session_policies

classic if input.row.engine.pipeline == "v1"

judged if {
	classic
	input.row.status == "ACTIVE"
	is_array(input.row.rules)
	count(input.row.rules) > 0
}

admits(rule) if {
	rule.status == "ACTIVE"
	rule.access != "DENY"
}

not_applicable contains "session.apps_decide" if input.row.engine.pipeline == "idx"

not_applicable contains "policy.inactive" if input.row.status == "INACTIVE"

failed contains "rule.one_factor" if {
	judged
	some rule in input.row.rules
	admits(rule)
	rule.factor_required == false
}

unknown contains "rule.unread" if {
	judged
	some rule in input.row.rules
	admits(rule)
	not is_boolean(rule.factor_required)
}

unknown contains "engine.unknown" if not input.row.engine.pipeline in {"v1", "idx"}

passed if judged
