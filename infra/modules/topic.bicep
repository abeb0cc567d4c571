// The events of a subscription. There is one such topic a source: where another tool made it
// already, deploy modules/events.bicep on that one.
param source string

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

output id string = topic.id
output name string = topic.name
output principalId string = withIdentity ? topic.identity!.principalId : ''
