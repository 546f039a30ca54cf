# Instants as directories write them, in nanoseconds since 1970. What cannot be read has no value.
package lib.directory

# is_never(text): it stands for "never" where Active Directory writes an instant.
is_never(text) if text in {"0", "9223372036854775807"}

# generalized_ns(text): 20260301120000Z, with or without a fraction of a second, which is not counted.
generalized_ns(text) := time.parse_rfc3339_ns(sprintf("%s-%s-%sT%s:%s:%sZ", [p[1], p[2], p[3], p[4], p[5], p[6]])) if {
	is_string(text)
	found := regex.find_all_string_submatch_n(`^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:[.,][0-9]+)?Z$`, text, 1)
	p := found[0]
}

# filetime_ns(text): steps of 100 ns since 1601, as Active Directory counts; 1970 is 116444736000000000. "Never" is no instant.
filetime_ns(text) := (to_number(text) - 116444736000000000) * 100 if {
	is_string(text)
	regex.match(`^[0-9]{18}$`, text)
	to_number(text) >= 116444736000000000
}

# bit(text, mask): is it set in a number that a directory writes as text?
bit(text, mask) := bits.and(to_number(text), mask) == mask if number(text)

number(text) if {
	is_string(text)
	regex.match(`^-?[0-9]{1,10}$`, text)
}
