# METADATA
# title: Accounts and applications were approved before they were given
# description: >-
#   Judges each event by which somebody got an account (`account`), was invited as a guest (`account`), or was given an application
#   (its name): it must have been approved, by somebody else, before.
# custom:
#   contract: 1
#   id: ID-06-entra-accounts
#   population: entra_user_changes
#   joined: [approvals, entra_users]
#   controls: [access-approved]
#   empty: passed
#   severity: medium
#   needs: { steps: [users] }
package entra.account_grants

import data.lib.event

makes if input.row.activityDisplayName in {"Add user", "Invite external user"}

gives if makes

gives if input.row.activityDisplayName == "Add app role assignment grant to user"

whats := {"account"} if makes

whats := event.whats if not makes

judged if {
	gives
	event.succeeded
	is_number(event.at)
	count(input.row.subjects) > 0
	count(whats) > 0
}

found := event.lacking(whats) if judged

not_applicable contains "event.no_grant" if {
	is_string(input.row.activityDisplayName)
	not gives
}

not_applicable contains "event.failed" if {
	gives
	input.row.result == "failure"
}

unknown contains "grant.unread" if {
	gives
	input.row.result != "failure"
	not judged
}

failed contains code if some ["failed", code] in found

unknown contains code if some ["unknown", code] in found

passed if {
	judged
	count(found) == 0
}
