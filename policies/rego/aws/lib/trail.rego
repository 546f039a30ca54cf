# What a trail of CloudTrail records, and whether it does. A value that could not be read makes neither an answer nor its opposite.
package lib.trail

# all_management(trail): reading and writing acts of management, of every service.
all_management(trail) if {
	some one in trail.selectors.classic
	one.management == true
	one.kind == "All"
	one.excluded == []
}

# An advanced selector without a further condition records all of its category.
all_management(trail) if {
	some fields in trail.selectors.advanced
	count(fields) == 1
	some field in fields
	field.field == "eventCategory"
	"Management" in field.equals
}

# partly(trail): what it records was read, and is not all of that.
partly(trail) if {
	is_array(trail.selectors.classic)
	is_array(trail.selectors.advanced)
	count(trail.selectors.classic) + count(trail.selectors.advanced) > 0
	not all_management(trail)
}

# findings(trail, now, limit): what stands against it, or leaves it open, as {["failed" | "unknown", code]}: it records now, files come,
# and each is signed. `limit` has delivery_h and digest_h; `now` in seconds. Files come only if something happened, digests in any case.
findings(trail, now, limit) := {finding |
	some finding in array.concat(
		array.concat(
			[one | some one in logging(trail)],
			[one | some one in delivery(trail, now, limit)],
		),
		[one | some one in validation(trail, now, limit)],
	)
}

logging(trail) := {["failed", "trail.stopped"]} if trail.status.IsLogging == false

logging(trail) := set() if trail.status.IsLogging == true

logging(trail) := {["unknown", "trail.unseen"]} if not is_boolean(trail.status.IsLogging)

delivery(trail, _, _) := {["failed", "trail.delivery_error"]} if object.get(trail.status, "LatestDeliveryError", "") != ""

delivery(trail, now, limit) := stale(trail.status.delivered, now, limit.delivery_h, "trail.delivery_late") if {
	object.get(trail.status, "LatestDeliveryError", "") == ""
	is_number(trail.status.delivered)
}

delivery(trail, now, limit) := stale(trail.status.started, now, limit.delivery_h, "trail.never_delivered") if {
	object.get(trail.status, "LatestDeliveryError", "") == ""
	not is_number(trail.status.delivered)
	is_number(trail.status.started)
}

delivery(trail, _, _) := {["unknown", "trail.delivery_unseen"]} if {
	object.get(trail.status, "LatestDeliveryError", "") == ""
	not is_number(trail.status.delivered)
	not is_number(trail.status.started)
}

validation(trail, _, _) := {["failed", "validation.off"]} if trail.LogFileValidationEnabled == false

validation(trail, _, _) := {["unknown", "validation.unseen"]} if not is_boolean(trail.LogFileValidationEnabled)

validation(trail, now, limit) := signing(trail, now, limit) if trail.LogFileValidationEnabled == true

signing(trail, _, _) := {["failed", "validation.error"]} if object.get(trail.status, "LatestDigestDeliveryError", "") != ""

signing(trail, now, limit) := stale(trail.status.digest_delivered, now, limit.digest_h, "validation.late") if {
	object.get(trail.status, "LatestDigestDeliveryError", "") == ""
	is_number(trail.status.digest_delivered)
}

signing(trail, now, limit) := stale(trail.status.started, now, limit.digest_h, "validation.never") if {
	object.get(trail.status, "LatestDigestDeliveryError", "") == ""
	not is_number(trail.status.digest_delivered)
	is_number(trail.status.started)
}

signing(trail, _, _) := {["unknown", "validation.unseen"]} if {
	object.get(trail.status, "LatestDigestDeliveryError", "") == ""
	not is_number(trail.status.digest_delivered)
	not is_number(trail.status.started)
}

stale(at, now, hours, code) := {["failed", code]} if now - at > hours * 3600

stale(at, now, hours, _) := set() if now - at <= hours * 3600
