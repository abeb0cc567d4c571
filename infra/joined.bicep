// One subscription that joins by Azure Policy (join.bicep, which has the app's rights): its events come by
// queue, because who subscribes a function needs write access on it, which is the right to change its code.
targetScope = 'subscription'

@description('The function app.')
param appId string

@description('The client id and the object id of the app\'s identity.')
param clientId string
param principalId string

@description('The app\'s storage account, for dead letters.')
param storageId string

@description('The storage account of the queue of events.')
param eventsStorageId string

@description('The app\'s installation, by which what it makes is known as its own.')
param installation string

@description('Who is told of dead letters; nobody where it is empty.')
param actionGroupId string

@description('The resource groups in which the policy has identities made, and the name of the app\'s role there.')
#disable-next-line use-user-defined-types
param identityGroups array
param identityRole string

@description('What stands for all of these parameters and this file: another one, and it is deployed anew.')
param configuration string

@description('Where the resource group of the event topic is; its events are global.')
param location string

module identitiesIn 'modules/group-role.bicep' = [for name in identityGroups: {
  // A deployment's name has 64 characters at most, a group's may have 90.
  name: 'lanyard-identities-${uniqueString(name)}'
  scope: resourceGroup(name)
  params: {
    principalId: principalId
    roleId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', identityRole)
  }
}]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-lanyard-events'
  location: location
}

module topic 'modules/topic.bicep' = {
  name: 'lanyard-topic'
  scope: group
  params: {
    source: subscription().id
    withIdentity: true
  }
}

module deadLetters 'modules/dead-letter-access.bicep' = {
  name: 'lanyard-dead-letters-${subscription().subscriptionId}'
  scope: resourceGroup(split(storageId, '/')[2], split(storageId, '/')[4])
  params: {
    storageName: last(split(storageId, '/'))
    principalId: topic.outputs.principalId
  }
}

module sender 'modules/events-sender.bicep' = {
  name: 'lanyard-sender-${subscription().subscriptionId}'
  scope: resourceGroup(split(eventsStorageId, '/')[2], split(eventsStorageId, '/')[4])
  params: {
    storageName: last(split(eventsStorageId, '/'))
    principalId: topic.outputs.principalId
  }
}

module events 'modules/events.bicep' = {
  name: 'lanyard-events'
  scope: group
  params: {
    topicName: topic.outputs.name
    appId: appId
    clientId: clientId
    storageId: storageId
    keepsDeadLetters: true
    delivery: 'queue'
    eventsStorageId: eventsStorageId
    installation: installation
  }
  // Event Grid tries container and queue when the subscriptions are made.
  dependsOn: [
    deadLetters
    sender
  ]
}

module alert 'modules/dead-letter-alert.bicep' = {
  name: 'lanyard-alert'
  scope: group
  params: {
    topicId: topic.outputs.id
    actionGroupId: actionGroupId
    configuration: configuration
  }
  // By its tag Azure Policy sees with what the subscription has joined: it comes last.
  dependsOn: [
    events
    identitiesIn
  ]
}
