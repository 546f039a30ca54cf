# What datadog grants, to read alone. Made from the collectors by: observance collectors permissions datadog
#   logs_read_config: datadog.indexes
#   logs_read_data: datadog.streams
#   monitors_read: datadog.monitors
#   org_management: datadog.indexes, datadog.monitors, datadog.streams
# Datadog has no right that only reads the organisation: org_management may change it, too. Its key is read by nobody else.
# The service account has a role with these rights and no other; the key is narrowed to them besides.

variable "datadog_service_account_id" {
  type = string
}

resource "datadog_service_account_application_key" "observance" {
  service_account_id = var.datadog_service_account_id
  name               = "observance"
  scopes             = [
    "logs_read_config",
    "logs_read_data",
    "monitors_read",
    "org_management",
  ]
}
