# Secrets and certificates of an application, by their dates alone.
package lib.credential

import data.lib.when

every_one := array.concat(input.row.secrets, input.row.certificates)

# live(now): those that have not ended.
live(now) := {one |
	some one in every_one
	not when.ns(one.until) <= now
}

# findings(now, limit): what stands against them, as {["failed" | "unknown", code]}. `limit` has rotate_days.
findings(now, limit) := {finding |
	some one in live(now)
	some finding in of(one, now, limit)
}

of(one, now, limit) := array.concat(
	[["failed", "credential.endless"] | object.get(one, "until", null) == null],
	array.concat(
		[["failed", "credential.old"] | when.after(one.from, limit.rotate_days) < now],
		[["unknown", "credential.age_unknown"] | not is_number(when.ns(one.from))],
	),
)
