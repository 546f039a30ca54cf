# METADATA
# title: Only known people and approved keys can write to a repository
# description: >-
#   Judges each repository by everybody who can push to it, however the right was given (owner, team, base permission,
#   invitation), and by its deploy keys that may write. People are matched by the register that GH-02 describes; who is in
#   no register is unknown. The organisation's defaults and its Actions token are GH-03-defaults, installed apps GH-03-apps, teams
#   GH-03-teams. An archived repository takes no changes.
# custom:
#   contract: 1
#   id: GH-03
#   population: repository_access
#   controls: [write-access]
#   empty: unknown
#   severity: high
#   parameters:
#     people: {}      # login in lower case: { person, second: true for a further account, until: the last day }
#     services: {}    # login in lower case: { owner: a person of the register, until }
#     keys: {}        # number of a deploy key that may write: { by, from, until }
#   needs:
#     steps: [collaborators, keys]
#     fields: [archived]
#   exposure: changes
package github.writers

import data.lib.approval
import data.lib.register
import data.lib.row

judged if {
	input.row.archived == false
	is_array(input.row.collaborators)
	is_array(input.row.keys)
	every step in {"collaborators", "keys"} { row.seen(step) }
}

not_applicable contains "repository.archived" if input.row.archived == true

# A role that does not say that it cannot push may push.
reads(person) if person.permissions.push == false

found contains [writer.login, kind, code] if {
	input.row.archived == false
	some writer in input.row.collaborators
	not reads(writer)
	some [kind, code] in register.findings(writer, input.params.people, input.params.services, time.now_ns())
}

failed contains code if some [_, "failed", code] in found

unknown contains code if some [_, "unknown", code] in found

writing contains key if {
	input.row.archived == false
	some key in input.row.keys
	key.read_only == false
	object.get(key, "enabled", true) != false
}

lacking contains [key.id, lack] if {
	some key in writing
	lack := approval.lack(input.params.keys, format_int(key.id, 10), time.now_ns())
}

failed contains sprintf("key.%s", [lack]) if {
	some [_, lack] in lacking
	lack != "undeclared"
}

unknown contains "keys.undeclared" if some [_, "undeclared"] in lacking

# A key that does not say whether it may write may write.
unknown contains "key.unreadable" if {
	some key in input.row.keys
	not is_boolean(key.read_only)
}

passed if {
	judged
	count(found) == 0
	count(lacking) == 0
}

messages contains sprintf("%s: %s", [login, code]) if some [login, _, code] in found

messages contains sprintf("deploy key %d: %s", [id, lack]) if some [id, lack] in lacking
