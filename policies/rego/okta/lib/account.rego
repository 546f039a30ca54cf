# Accounts of Okta: who may sign in, and by which names registers may call them.
package lib.account

# May come in, now or as soon as the person enrols or sets a new password.
open_states := {"ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"}

shut_states := {"DEPROVISIONED", "SUSPENDED", "STAGED"}

active(user) if user.status in open_states

shut(user) if user.status in shut_states

# A state that this policy does not know is neither.
unclear(user) if {
	not active(user)
	not shut(user)
}

names(user) := [user.id, object.get(user.profile, "login", ""), object.get(user.profile, "email", "")]
