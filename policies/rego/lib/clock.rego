# Time limits, in hours of the calendar or of working days.
package lib.clock

import data.lib.when

hour_ns := 3600000000000

# Days that a limit in working days may reach over.
days := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]

# due(start, limit): when so many hours have passed. `limit` is the parameters of a policy:
#   within_h; clock: calendar | business; zone: Europe/Berlin; holidays: [2026-12-25]
# On a day that is worked all its hours count, on another none.
due(start, limit) := start + (limit.within_h * hour_ns) if limit.clock == "calendar"

due(start, limit) := min([at |
	some day in days
	worked := length(start, day, limit)
	worked > 0
	before := sum([length(start, earlier, limit) | some earlier in days; earlier < day])
	need := (limit.within_h * hour_ns) - before
	need >= 0
	need <= worked
	at := begin(start, day, limit) + need
]) if {
	limit.clock == "business"
}

# The part of that day which lies after the start, if it is worked.
length(start, day, limit) := end(start, day, limit) - begin(start, day, limit) if works(start, day, limit)

length(start, day, limit) := 0 if not works(start, day, limit)

begin(start, day, limit) := max([start, midnight(start, limit) + (day * when.day_ns)])

end(start, day, limit) := midnight(start, limit) + ((day + 1) * when.day_ns)

midnight(start, limit) := start - when.clock_ns(start, limit.zone)

works(start, day, limit) if {
	noon := (midnight(start, limit) + (day * when.day_ns)) + (12 * hour_ns)
	not time.weekday([noon, limit.zone]) in {"Saturday", "Sunday"}
	not time.format([noon, limit.zone, "2006-01-02"]) in limit.holidays
}
