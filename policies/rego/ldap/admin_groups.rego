# METADATA
# title: Membership of groups that administer is approved
# description: >-
#   Judges each group that the parameters name: every member needs a standing approval in the register, with the group's name as what is
#   approved. What a directory's groups are good for is nowhere written in it, so that without names everything is unknown. A member
#   that is no account that was seen is unknown, unless it is a group that is named too and judged by itself.
# custom:
#   contract: 1
#   id: ID-10-ldap
#   population: ldap_groups
#   joined: [ldap_users, approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   parameters:
#     groups: []    # names of groups (cn or dn)
#   needs: { steps: [groups], fields: [dn] }
package ldap.admin_groups

import data.lib.account
import data.lib.grants

declared := {lower(name) | some name in input.params.groups}

names := {lower(name) | some name in array.concat([input.row.dn], object.get(input.row, "cn", []))}

administers if count(names & declared) > 0

role := input.row.cn[0]

written := array.concat(object.get(input.row, "member", []), object.get(input.row, "uniqueMember", []))

members contains dn if some dn in written

by_login contains uid if some uid in object.get(input.row, "memberUid", [])

accounts contains user if {
	administers
	some user in input.joined.ldap_users
	lower(user.dn) in {lower(dn) | some dn in members}
}

accounts contains user if {
	administers
	some user in input.joined.ldap_users
	some uid in object.get(user, "uid", [])
	uid in by_login
}

strange contains dn if {
	administers
	some dn in members
	not lower(dn) in {lower(user.dn) | some user in accounts}
	not is_declared(dn)
}

strange contains uid if {
	administers
	some uid in by_login
	not uid in {own | some user in accounts; some own in object.get(user, "uid", [])}
}

is_declared(dn) if lower(dn) in declared

# A group that is named by its cn.
is_declared(dn) if regex.replace(lower(dn), `^cn=([^,]*),.*$`, "$1") in declared

lacking contains [user.dn, why] if {
	some user in accounts
	subjects := array.concat(account.names(user), object.get(user, "mail", []))
	not grants.standing("ldap", subjects, role, time.now_ns())
	why := grants.lack("ldap", subjects, role, time.now_ns())
}

not_applicable contains "group.ordinary" if {
	count(declared) > 0
	not administers
}

unknown contains "groups.undeclared" if count(declared) == 0

# Members who are found by a search, or are not shown.
unknown contains "members.unseen" if {
	administers
	count(members) + count(by_login) == 0
}

unknown contains "member.no_account" if count(strange) > 0

failed contains why if some [_, why] in lacking

passed if {
	administers
	count(members) + count(by_login) > 0
	count(strange) == 0
	count(lacking) == 0
}

messages contains sprintf("%s: %s", [dn, why]) if some [dn, why] in lacking

messages contains sprintf("%s: no account that was seen", [name]) if some name in strange
