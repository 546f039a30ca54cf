# Sources of logs as the asset register `log_sources` names them, held against what a logging system received. Policies that import
# this judge an asset, `input.row`, and join the streams of one system, whose rows are alike whichever the system is:
#   stream   how the system names the source; compared letter by letter
#   hours    the ends of the hours in which something came, in seconds since 1970
#   newest   the newest event's own time, in seconds; left out where the system tells the hour alone
#   age.oldest, asked.at    the oldest event's time, and when the system was asked, by its own clock
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

rows(population) := {row | some row in input.joined[population]; row.stream == input.row.stream}

# asked(population, stale_h): earliest and latest instant at which the system can have been asked.
asked(population, _) := [at, at] if at := asked_at(population)

asked(population, stale_h) := [now - (stale_h * hour), now] if not asked_at(population)

asked_at(population) := max(instants) if {
	instants := {row.asked.at | some row in input.joined[population]; is_number(row.asked.at)}
	count(instants) > 0
}

# newest(row): earliest and latest instant of the newest event.
newest(row) := [row.newest, row.newest] if is_number(row.newest)

newest(row) := [max(row.hours) - hour, max(row.hours)] if {
	not is_number(object.get(row, "newest", null))
	count(row.hours) > 0
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
	ends := sort({at | some at in row.hours})
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

# kept(days, params): what is configured, against what is due.
kept(days, params) := ["failed", "retention.short"] if days < due_days(params)

kept(days, params) := ["passed", "retention.kept"] if days >= due_days(params)

# reaches(oldest, params): the oldest event is as old as it must be by now; so young a source has nothing older.
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
