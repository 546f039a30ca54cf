# METADATA
# title: A trail records every act of management in all regions of the account
# description: >-
#   Judges the account by its trails: at least one of all regions that now records reading and writing acts of every service, whose files and
#   signed digests arrive. Event data stores of CloudTrail Lake count for nothing here: they are not read.
# custom:
#   contract: 1
#   id: LG-04-aws
#   population: aws_regions
#   joined: [aws_trails]
#   controls: [audit-logging]
#   empty: unknown
#   severity: critical
#   parameters:
#     delivery_h: 24    # since the newest file
#     digest_h: 4       # since the newest digest, of which there is one each hour
#   needs: { fields: [account] }
package aws.audit_log

import data.lib.trail

now := time.now_ns() / 1000000000

judged if is_string(input.row.account)

wide := {arn | some one in input.joined.aws_trails; one.IsMultiRegionTrail == true; arn := one.TrailARN}

whole := {one.TrailARN |
	some one in input.joined.aws_trails
	one.TrailARN in wide
	trail.all_management(one)
	count(trail.findings(one, now, input.params)) == 0
}

# Those that could be it, had all of them been read.
perhaps := {one.TrailARN |
	some one in input.joined.aws_trails
	one.TrailARN in wide
	not trail.partly(one)
	every finding in trail.findings(one, now, input.params) {
		finding[0] == "unknown"
	}
}

failed contains "trail.none" if {
	judged
	count(wide) == 0
}

failed contains "trail.not_whole" if {
	judged
	count(wide) > 0
	count(whole) == 0
	count(perhaps) == 0
}

unknown contains "trail.unseen" if {
	judged
	count(whole) == 0
	count(perhaps) > 0
}

passed if {
	judged
	count(whole) > 0
}
