# Instants as directories write them, in nanoseconds since 1970. What cannot be read has no value.
package lib.directory

# Steps of 100 ns from 1601 to 1970.
epoch := 116444736000000000

# What stands for "never" where Active Directory writes an instant.
never := {"0", "9223372036854775807"}

# generalized_ns(text): 20260301120000Z, with or without a fraction of a second, which is not counted.
generalized_ns(text) := time.parse_rfc3339_ns(sprintf("%s-%s-%sT%s:%s:%sZ", [p[1], p[2], p[3], p[4], p[5], p[6]])) if {
	is_string(text)
	found := regex.find_all_string_submatch_n(`^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:[.,][0-9]+)?Z$`, text, 1)
	p := found[0]
}

# filetime_ns(text): steps of 100 ns since 1601, as Active Directory counts. "Never" is no instant.
filetime_ns(text) := (to_number(text) - epoch) * 100 if {
	is_string(text)
	regex.match(`^[0-9]{18}$`, text)
	to_number(text) >= epoch
}

# bit(text, mask): is it set in a number that a directory writes as text?
bit(text, mask) if {
	number(text)
	bits.and(to_number(text), mask) == mask
}

number(text) if {
	is_string(text)
	regex.match(`^-?[0-9]{1,10}$`, text)
}
