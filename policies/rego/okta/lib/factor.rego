# Factors of Okta, and the methods that its log names.
package lib.factor

# Of an account: what counts beside a password. A question is a second piece of knowledge, not a second factor.
second := {"push", "signed_nonce", "sms", "call", "token", "token:hardware", "token:hotp", "token:software:totp", "u2f", "web", "webauthn"}

resists_phishing := {"webauthn", "u2f", "signed_nonce"}

enrolled(factors, kinds) := {factor.factorType |
	some factor in factors
	factor.status == "ACTIVE"
	factor.factorType in kinds
}

# Of a method as the log writes it, "okta_verify:push:aut1": what kind of factor it is.
kind(method) := "knowledge" if split(method, ":")[0] in {"okta_password", "security_question"}

kind(method) := "elsewhere" if split(method, ":")[0] in {"external_idp", "claims_provider"}

kind(method) := "possession" if {
	split(method, ":")[0] in {
		"okta_verify", "phone_number", "okta_email", "google_otp", "webauthn", "security_key", "yubikey_token",
		"onprem_mfa", "rsa_token", "symantec_vip", "duo", "custom_app", "custom_otp", "smart_card_idp",
	}
}
