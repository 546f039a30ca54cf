# How a row was seen. The collector writes, under `_outcomes`, each step of this row that was not simply present.
package lib.row

feeding := {"present", "unchanged", "absent", "not_applicable"}

# seen(step): what this step would have shown is known, even if it is known not to be there.
seen(step) if object.get(input.row, ["_outcomes", step], "present") in feeding
