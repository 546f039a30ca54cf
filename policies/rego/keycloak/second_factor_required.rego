# METADATA
# title: Nobody signs in with a browser by one factor
# description: >-
#   Judges each realm by its browser flow: every way to sign in there must lead through a second factor that is
#   required. A factor asked for only from who has set one up (Keycloak's default) fails, unless `conditional` is
#   accepted and setting one up is a default action for new accounts. Sessions that go on (cookies) are no sign-in; who
#   comes from another identity provider is judged there. Flows of single clients and passwords posted by programs are
#   ID-01-keycloak-clients.
# custom:
#   contract: 1
#   id: ID-01-keycloak
#   population: keycloak_realms
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     conditional: false    # true: a factor asked for from who has one is enough, where new accounts must set one up
#   needs:
#     steps: [realm, executions, required_actions]
#     fields: [executions]
package keycloak.second_factor_required

second := {"auth-otp-form", "webauthn-authenticator", "auth-recovery-authn-code-form"}

# They vouch for nobody themselves: a session that goes on, and the way to another identity provider.
elsewhere := {"auth-cookie", "identity-provider-redirector", "organization"}

setting_up := {"CONFIGURE_TOTP", "webauthn-register"}

steps := input.row.executions

# The flow that a step stands in: the nearest one before it that is a level higher; -1 at the top.
parent(at) := max({-1} | {before |
	some before, step in steps
	before < at
	step.level == steps[at].level - 1
})

above(at) := {before |
	some before, step in steps
	before < at
	step.level < steps[at].level
	every between, other in steps {
		not covers(before, between, at, other.level, step.level)
	}
}

covers(before, between, at, level, of) if {
	between > before
	between < at
	level <= of
}

live(at) if {
	steps[at].requirement != "DISABLED"
	every before in above(at) {
		steps[before].requirement != "DISABLED"
	}
}

leaf(at) if not steps[at].authenticationFlow == true

# What proves somebody, where it stands at the top or below it.
proving(top) := {at |
	some at, step in steps
	at in within(top)
	live(at)
	leaf(at)
	not step.providerId in elsewhere
	not startswith(step.providerId, "conditional-")
}

within(top) := {at | some at, _ in steps; at == top} | {at | some at, _ in steps; top in above(at)}

ways contains at if {
	some at, step in steps
	step.level == 0
	live(at)
	count(proving(at)) > 0
}

factor(at) if steps[at].providerId in second

# One step, two factors, where the device asks who holds it.
factor(at) if {
	steps[at].providerId == "webauthn-authenticator-passwordless"
	input.row.webAuthnPolicyPasswordlessUserVerificationRequirement == "required"
}

# Beside what is required, an alternative is not asked for.
asked(at) if steps[at].requirement == "REQUIRED"

asked(at) if {
	steps[at].requirement == "ALTERNATIVE"
	every other, step in steps {
		beside(other, step, at)
	}
}

beside(other, _, at) if parent(other) != parent(at)

beside(other, _, at) if {
	parent(other) == parent(at)
	not live(other)
}

beside(other, step, at) if {
	parent(other) == parent(at)
	startswith(step.providerId, "conditional-")
}

beside(other, step, at) if {
	parent(other) == parent(at)
	step.requirement == "ALTERNATIVE"
	factor(other)
}

# Between the way and the factor only what is required.
required(top) if {
	some at in within(top)
	live(at)
	factor(at)
	asked(at)
	every between in above(at) - {top} {
		steps[between].requirement == "REQUIRED"
	}
}

conditional(top) if {
	some at in within(top)
	live(at)
	factor(at)
	asked(at)
	every between in above(at) - {top} {
		steps[between].requirement in {"REQUIRED", "CONDITIONAL"}
	}
}

set_up_by_all if {
	some action in input.row.required_actions
	action.alias in setting_up
	action.enabled == true
	action.defaultAction == true
}

enough(top) if required(top)

enough(top) if {
	conditional(top)
	input.params.conditional
	set_up_by_all
}

failed contains "flow.second_factor_conditional" if {
	some top in ways
	conditional(top)
	not enough(top)
}

failed contains "flow.one_factor" if {
	some top in ways
	not conditional(top)
	not enough(top)
}

unknown contains "flow.no_way" if {
	is_array(steps)
	count(ways) == 0
}

passed if {
	is_array(steps)
	count(ways) > 0
	every top in ways {
		enough(top)
	}
}

messages contains sprintf("%s is a way in", [object.get(steps[top], "displayName", "?")]) if {
	some top in ways
	not enough(top)
}
