// Fires where Event Grid gave up on events of a topic.
param topicId string
param actionGroupId string

@description('With what a subscription joined by Azure Policy (join.bicep); empty where a person lets it be watched.')
param configuration string = ''

resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'lanyard-dead-letters'
  location: 'global'
  tags: empty(configuration) ? null : { 'lanyard-joined': configuration }
  properties: {
    description: 'Event Grid gave up on events: they lie in the container dead-letters and can be replayed.'
    severity: 1
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(actionGroupId) ? [] : [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}
