// The events of a subscription. There is one such topic a source: where another tool made it
// already, deploy modules/events.bicep on that one.
param source string
param actionGroupId string

@description('Whether it has an identity, which dead letters are written as.')
param withIdentity bool

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'lanyard'
  location: 'global'
  identity: withIdentity ? { type: 'SystemAssigned' } : null
  properties: {
    source: source
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = if (withIdentity) {
  name: 'lanyard-dead-letters'
  location: 'global'
  properties: {
    description: 'Event Grid gave up on events: they lie in the container dead-letters and can be replayed.'
    severity: 1
    enabled: true
    scopes: [topic.id]
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

output name string = topic.name
output principalId string = withIdentity ? topic.identity!.principalId : ''
