# What is known of a user of IAM. The console's password is a join that is absent, by its outcome, where there is none.
package lib.iam

import data.lib.when

# console(user): may sign in to the console.
console(user) if is_object(user.console)

# no_console(user): known not to be able to.
no_console(user) if object.get(user, ["_outcomes", "console"], "") == "absent"

# names(user): by which a register may know it.
names(user) := [user.UserName, user.Arn, user.UserId]

# age_days(text, now): how long ago that was; `now` in nanoseconds.
age_days(text, now) := (now - when.ns(text)) / when.day_ns
