# METADATA
# title: Every high alert is taken up and closed in time
# description: >-
#   Judges each alert of the register whose severity matters: taken up by somebody within the hours that are allowed, closed within the
#   days that are, with a note that says why. The register is what people wrote down: an alert that is missing from it is not seen here.
# custom:
#   contract: 1
#   id: LG-08-register
#   population: security_alerts
#   controls: [alerts-triaged]
#   empty: unknown
#   severity: medium
#   parameters: { severities: [high, critical], taken_h: 4, closed_h: 72, zone: UTC, clock: calendar, holidays: [], signed: true }
#   needs: { fields: [severity, raised] }
package logging.triage

import data.lib.clock
import data.lib.when

row := input.row

now := time.now_ns()

matters if row.severity in input.params.severities

raised := when.ns(row.raised)

limit(hours) := clock.due(raised, object.union(input.params, {"within_h": hours}))

# done(field): that instant, if it has come.
done(field) := at if {
	at := when.ns(row[field])
	at >= raised
	at <= now
}

not_applicable contains "alert.minor" if not matters

unknown contains "alert.unclear" if not is_number(raised)

unknown contains "alert.unclear" if raised > now

# An end that lies before the alert, or after now, is none.
unknown contains "alert.unclear" if {
	some field in ["taken", "closed"]
	row[field]
	not done(field)
}

unknown contains "register.unsigned" if {
	input.params.signed
	row.signed_by == null
}

failed contains "alert.taken_late" if {
	matters
	done("taken") > limit(input.params.taken_h)
}

failed contains "alert.not_taken" if {
	matters
	not row.taken
	now > limit(input.params.taken_h)
}

failed contains "alert.by_nobody" if {
	matters
	done("taken")
	object.get(row, "taken_by", "") == ""
}

failed contains "alert.closed_late" if {
	matters
	done("closed") > limit(input.params.closed_h)
}

failed contains "alert.open" if {
	matters
	not row.closed
	now > limit(input.params.closed_h)
}

failed contains "alert.no_note" if {
	matters
	done("closed")
	object.get(row, "note", "") == ""
	object.get(row, "ticket", "") == ""
}

# The first limit that has not passed and is not met.
not_due := when.text(limit(input.params.taken_h)) if {
	matters
	not row.taken
	now <= limit(input.params.taken_h)
}

not_due := when.text(limit(input.params.closed_h)) if {
	matters
	done("taken")
	not row.closed
	now <= limit(input.params.closed_h)
}

passed if {
	matters
	done("taken")
	done("closed")
}
