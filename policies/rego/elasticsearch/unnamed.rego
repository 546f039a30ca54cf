# METADATA
# title: Every event in Elasticsearch belongs to a source
# description: >-
#   Judges the cluster by how many events of the last two days lack the field by which sources are told apart. LG-01 cannot speak of
#   them.
# custom:
#   contract: 1
#   id: LG-01-elasticsearch-unnamed
#   population: elasticsearch_clusters
#   controls: [log-sources]
#   empty: unknown
#   severity: low
#   parameters:
#     events_max: 0
#   needs: { fields: [unnamed] }
package elasticsearch.unnamed

failed contains "events.unnamed" if input.row.unnamed.events > input.params.events_max

passed if input.row.unnamed.events <= input.params.events_max
