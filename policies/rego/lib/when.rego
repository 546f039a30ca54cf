# Instants as sources and configurations write them, in nanoseconds since 1970. What cannot be read has no value.
package lib.when

day_ns := 86400000000000

# 2026-03-01T10:00:00Z, with any offset.
ns(text) := time.parse_rfc3339_ns(text) if {
	is_string(text)
	contains(text, "T")
}

# 2026-03-01: the beginning of that day, in UTC.
ns(text) := time.parse_rfc3339_ns(concat("", [text, "T00:00:00Z"])) if {
	is_string(text)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, text)
}

# after(text, days): so many days later.
after(text, days) := ns(text) + (days * day_ns) if {
	is_number(days)
	days >= 0
}

# day_end(text, zone): the end of the day `2026-03-31` in that zone.
day_end(text, zone) := (ns(text) + day_ns) - offset(ns(text), zone) if regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, text)

# offset(at, zone): how far that zone's clock is before UTC then, in nanoseconds.
offset(at, zone) := (clock_ns(at, zone) - clock_ns(at, "UTC")) + (day_shift(at, zone) * day_ns)

clock_ns(at, zone) := (((h * 60) + m) * 60 + s) * 1000000000 if [h, m, s] := time.clock([at, zone])

day_shift(at, zone) := 0 if time.date([at, zone]) == time.date([at, "UTC"])

day_shift(at, zone) := 1 if {
	time.date([at, zone]) != time.date([at, "UTC"])
	clock_ns(at, zone) < clock_ns(at, "UTC")
}

day_shift(at, zone) := -1 if {
	time.date([at, zone]) != time.date([at, "UTC"])
	clock_ns(at, zone) > clock_ns(at, "UTC")
}

# text(at): an instant as rules of a policy write it.
text(at) := concat("", [time.format([at, "UTC", "2006-01-02T15:04:05.000"]), "Z"])
