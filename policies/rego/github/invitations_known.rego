# METADATA
# title: Every open invitation goes to a registered person or service
# description: >-
#   Judges each open invitation by the register that GH-02 describes. An invitation by e-mail names no account and
#   is unknown until it is taken up. Having no open invitation is not applicable.
# custom:
#   contract: 1
#   id: GH-02-invited
#   population: invitations
#   controls: [known-accounts]
#   empty: not_applicable
#   severity: high
#   parameters:
#     people: {}      # login in lower case: { person, second: true for a further account, until: the last day }
#     services: {}    # login in lower case: { owner: a person of the register, until }
#   needs:
#     steps: [invitations]
#     fields: [id]
package github.invitations_known

import data.lib.register

# The number of an invitation is not the number of an account.
invited := {"login": input.row.login} if is_string(input.row.login)

found := register.findings(invited, input.params.people, input.params.services, time.now_ns())

failed contains code if some ["failed", code] in found

unknown contains code if some ["unknown", code] in found

unknown contains "invitation.by_email" if input.row.login == null

passed if count(found) == 0
