# METADATA
# title: Every log group of CloudWatch is registered
# description: >-
#   The reverse of LG-01: judges each log group by whether the register of log sources names it, so that a source that was renamed, or that
#   nobody registered, is seen. An asset that has ended names nothing any more.
# custom:
#   contract: 1
#   id: LG-01-cloudwatch-unlisted
#   population: aws_log_groups
#   joined: [log_sources]
#   controls: [log-sources]
#   empty: unknown
#   severity: medium
#   needs: { steps: [groups], fields: [stream] }
package aws.unlisted

import data.lib.logs

assets := {asset |
	some asset in input.joined.log_sources
	lower(asset.system) == "cloudwatch"
	asset.stream == input.row.stream
}

standing(asset) if object.get(asset, "until", "") == ""

standing(asset) if logs.seconds(asset.until) > logs.now

failed contains "stream.unlisted" if {
	is_string(input.row.stream)
	count(assets) == 0
}

failed contains "asset.ended" if {
	some asset in assets
	logs.seconds(asset.until) <= logs.now
	every other in assets {
		not standing(other)
	}
}

passed if {
	some asset in assets
	standing(asset)
}
