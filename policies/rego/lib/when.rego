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
