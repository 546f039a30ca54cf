# METADATA
# title: Every sign-in used two factors
# description: >-
#   Judges each successful sign-in by what Google asked for. A passkey is one step and two factors. A password alone
#   fails, unless devices may be trusted (`devices_trusted`): then it cannot be told. Sign-ins by another identity
#   provider are judged there.
# custom:
#   contract: 1
#   id: ID-18-google
#   population: google_logins
#   optional: [service_accounts]
#   controls: [two-factor]
#   empty: not_applicable
#   severity: high
#   parameters:
#     devices_trusted: false
#     second: [backup_code, device_prompt, google_authenticator, google_prompt, idv_preregistered_phone, internal_two_factor, offline_otp, security_key, security_key_otp]
#     whole: [passkey, userless_fido]
#   needs: { fields: [id.time, actor.email, events] }
package google.sign_ins

import data.lib.google
import data.lib.services

done := google.event(input.row, "login_success")

kind := google.value(done, "login_type")

asked := {one | some one in google.values(done, "login_challenge_method")}

human if services.person_like("google", [input.row.actor.email, object.get(input.row.actor, "profileId", "")])

interactive if {
	human
	kind == "google_password"
}

strong if {
	"password" in asked
	some one in asked
	one in input.params.second
}

strong if {
	some one in asked
	one in input.params.whole
}

# Nothing else than the password was asked for; what nobody knows is not nothing.
weak if asked == {"password"}

failed contains "sign_in.one_factor" if {
	interactive
	weak
	not input.params.devices_trusted
}

unknown contains "sign_in.device_trusted" if {
	interactive
	weak
	input.params.devices_trusted
}

unknown contains "sign_in.factors_untold" if {
	interactive
	not strong
	not weak
}

unknown contains "sign_in.at_idp" if {
	human
	kind in {"saml", "oidc"}
}

unknown contains "sign_in.kind" if {
	done
	human
	not kind in {"google_password", "saml", "oidc", "exchange", "reauth"}
}

not_applicable contains "sign_in.no_first" if kind in {"exchange", "reauth"}

not_applicable contains "account.no_person" if {
	done
	not human
}

not_applicable contains "event.other" if {
	is_array(input.row.events)
	not done
}

passed if {
	interactive
	strong
}
