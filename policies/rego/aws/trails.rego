# METADATA
# title: Every trail of CloudTrail records, delivers, and signs its files
# description: >-
#   Judges each trail as it is now: that it is switched on, that its files and the signed digests over them arrive without an error, and not
#   long ago. Whether anything records all that must be recorded is LG-04-aws.
# custom:
#   contract: 1
#   id: LG-04-aws-trails
#   population: aws_trails
#   controls: [audit-logging]
#   empty: unknown
#   severity: high
#   parameters:
#     delivery_h: 24    # since the newest file
#     digest_h: 4       # since the newest digest, of which there is one each hour
#   needs:
#     steps: [trails, status]
package aws.trails

import data.lib.trail

found := trail.findings(input.row, time.now_ns() / 1000000000, input.params)

judged if is_string(input.row.TrailARN)

failed contains code if {
	judged
	some ["failed", code] in found
}

unknown contains code if {
	judged
	some ["unknown", code] in found
}

passed if {
	judged
	count(found) == 0
}
