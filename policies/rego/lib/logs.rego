# Sources of logs as the asset register `log_sources` names them, held against what a logging system received. Policies that import
# this judge an asset, `input.row`, and join the streams of one system, whose rows are alike whichever the system is:
#   stream   how the system names the source; compared letter by letter
#   hours    the ends of the hours in which something came, in seconds since 1970
#   points   or their beginnings, as text
#   newest   the newest event's own time, in seconds or as text; left out where the system tells the hour alone
#   events   how many came, where the system counts
#   asked.at    when the system was asked, by its own clock
# A quiet source is not a dead one: `max_silence_h` is meant for sources that send a sign of life at least so often.
package lib.logs

import data.lib.when

hour := 3600

day := 86400

now := time.now_ns() / 1000000000

seconds(text) := when.ns(text) / 1000000000

# aside(system): why the asset is not this system's to judge, or no longer.
aside(system) := "asset.elsewhere" if lower(input.row.system) != system

aside(system) := "asset.ended" if {
	lower(input.row.system) == system
	seconds(input.row.until) <= now
}

aside(system) := "asset.not_begun" if {
	lower(input.row.system) == system
	seconds(input.row.since) > now
}

# Whether the policy speaks of it.
judged(system) if {
	is_string(input.row.system)
	not aside(system)
}

# rows(population): the stream that the asset names, unless nothing ever came to it.
rows(population) := {row |
	some row in input.joined[population]
	row.stream == input.row.stream
	object.get(row, "events", 1) != 0
}

# instant(value): seconds since 1970, of a number or a text.
instant(value) := value if is_number(value)

instant(value) := seconds(value) if is_string(value)

hours(row) := row.hours if is_array(row.hours)

hours(row) := [end |
	some point in row.points
	end := seconds(point) + hour
] if is_array(row.points)

# asked(population, stale_h): earliest and latest instant at which the system can have been asked.
asked(population, _) := [at, at] if at := asked_at(population)

asked(population, stale_h) := [now - (stale_h * hour), now] if not asked_at(population)

asked_at(population) := max(instants) if {
	instants := {at | some row in input.joined[population]; at := instant(row.asked.at)}
	count(instants) > 0
}

# newest(row): earliest and latest instant of the newest event.
newest(row) := [at, at] if at := instant(row.newest)

newest(row) := [max(hours(row)) - hour, max(hours(row))] if {
	object.get(row, "newest", null) == null
	count(hours(row)) > 0
}

silence := input.row.max_silence_h * hour if input.row.max_silence_h > 0

# heard(population, limit): how the asset was heard of, as [state, code]. `limit` has window_h, what the question reaches back,
# and stale_h, how long ago it may have been asked. What came from the future says nothing of when it was sent.
heard(population, limit) := ["failed", "source.silent"] if {
	count(rows(population)) == 0
	silence <= limit.window_h * hour
}

heard(population, limit) := ["unknown", "window.short"] if {
	count(rows(population)) == 0
	silence > limit.window_h * hour
}

heard(population, limit) := told(newest(row), asked(population, limit.stale_h)) if {
	some row in rows(population)
}

told(heard_in, asked_in) := ["unknown", "source.future"] if heard_in[0] > asked_in[1] + hour

told(heard_in, asked_in) := ["failed", "source.silent"] if asked_in[0] - heard_in[1] > silence

told(heard_in, asked_in) := ["passed", "source.heard"] if {
	heard_in[0] <= asked_in[1] + hour
	asked_in[1] - heard_in[0] <= silence
}

told(heard_in, asked_in) := ["unknown", "source.unsure"] if {
	heard_in[0] <= asked_in[1] + hour
	asked_in[1] - heard_in[0] > silence
	asked_in[0] - heard_in[1] <= silence
}

# gaps(population, limit): silences within the window that are longer than allowed, as [from, to] in seconds. The last one, which
# still lasts, is what `heard` speaks of.
gaps(population, limit) := {[from, to] |
	some row in rows(population)
	ends := sort({at | some at in hours(row)})
	starts := array.concat([beginning(asked(population, limit.stale_h)[1] - (limit.window_h * hour))], ends)
	some i, at in ends
	from := starts[i]
	to := at - hour
	to - from > silence
}

# A source is not missed before it was there.
beginning(from) := max([from, seconds(input.row.since)]) if is_number(seconds(input.row.since))

beginning(from) := from if not is_number(seconds(input.row.since))

# explained(gap, system): a record of an outage leaves less of it open than may be silent anyway.
explained(gap, system) if {
	some line in object.get(input.joined, "explanations", {})
	lower(line.system) == system
	line.subject in {input.row.id, input.row.stream, "*"}
	line.by != ""
	is_number(when.ns(line.written))
	seconds(line.from) - gap[0] <= silence
	gap[1] - seconds(line.to) <= silence
}

# due_days(params): how long it must be kept: what the register says, else the parameter.
due_days(params) := object.get(input.row, "retention_days", params.days)

# days(text): a duration as Elasticsearch and OpenSearch write it.
days(text) := to_number(trim_suffix(text, "d")) if regex.match(`^[0-9]{1,6}d$`, text)

days(text) := to_number(trim_suffix(text, "h")) / 24 if regex.match(`^[0-9]{1,8}h$`, text)

# kept(days, params): what is configured, against what is due.
kept(configured, params) := ["failed", "retention.short"] if configured < due_days(params)

kept(configured, params) := ["passed", "retention.kept"] if configured >= due_days(params)

# reaches(oldest, params): the oldest event is as old as it must be by now. `slack_days` is for sources that are quiet, and for clocks.
# A source that is younger than what is due has nothing older, so the register must say since when it is there.
reaches(oldest, params) := ["passed", "log.reaches"] if oldest <= reach(params)

reaches(oldest, params) := ["failed", "log.short"] if {
	oldest > reach(params)
	is_number(seconds(input.row.since))
}

reaches(oldest, params) := ["unknown", "log.young"] if {
	oldest > reach(params)
	not is_number(seconds(input.row.since))
}

reach(params) := beginning(now - (due_days(params) * day)) + (params.slack_days * day)

# rule(id, changed, listed): how a rule stands to the list of rules that somebody answers for:
#   rules: { "<its id>": { by: "<who>", changed: "<its last change, as the system writes it>" } }
rule(id, _, listed) := ["unknown", "rules.undeclared"] if count(listed) == 0

rule(id, _, listed) := ["unlisted", "rule.unlisted"] if {
	count(listed) > 0
	not listed[id]
}

rule(id, changed, listed) := ["failed", "rule.changed"] if {
	signed(listed[id])
	changed != listed[id].changed
}

rule(id, changed, listed) := ["passed", "rule.listed"] if {
	signed(listed[id])
	changed == listed[id].changed
}

rule(id, _, listed) := ["unknown", "rule.unsigned"] if {
	listed[id]
	not signed(listed[id])
}

signed(one) if {
	is_string(one.by)
	one.by != ""
	is_string(one.changed)
}
