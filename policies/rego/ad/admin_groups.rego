# METADATA
# title: Whoever administers the domain is approved to
# description: >-
#   Judges each group that the domain protects or whose well-known id says that it administers: everybody who is in it, through groups
#   inside of groups and by primary group too, needs a standing approval in the register, with the group's name as what is approved.
#   Accounts that are disabled need none. Domain controllers are what their own groups are for.
# custom:
#   contract: 1
#   id: ID-10-ad
#   population: ad_groups
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs: { steps: [groups, holders, by_primary_group], fields: [privileged] }
package ad.admin_groups

import data.lib.account
import data.lib.grants
import data.lib.row

seen if {
	input.row.privileged == true
	row.seen("holders")
	row.seen("by_primary_group")
	is_array(input.row.holders)
	is_array(input.row.by_primary_group)
}

# What was seen of a list that broke off counts, too.
everybody contains holder if {
	input.row.privileged == true
	some holder in object.get(input.row, "holders", [])
}

everybody contains holder if {
	input.row.privileged == true
	some holder in object.get(input.row, "by_primary_group", [])
}

controllers if {
	some ending in ["-498", "-516", "-521"]
	endswith(input.row.objectSid, ending)
}

by_design(holder) if {
	controllers
	"computer" in holder.objectClass
}

holders contains holder if {
	some holder in everybody
	not by_design(holder)
	not account.off(holder)
}

role := input.row.sAMAccountName

lacking contains [holder.dn, why] if {
	some holder in holders
	subjects := [name | some name in array.concat(account.names(holder), [object.get(holder, "mail", "")]); name != ""]
	not grants.standing("ad", subjects, role, time.now_ns())
	why := grants.lack("ad", subjects, role, time.now_ns())
}

not_applicable contains "group.ordinary" if input.row.privileged == false

failed contains why if some [_, why] in lacking

passed if {
	seen
	count(lacking) == 0
}

messages contains sprintf("%s: %s", [dn, why]) if some [dn, why] in lacking
