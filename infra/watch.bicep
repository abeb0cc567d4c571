// One subscription that Lanyard watches: the app's rights in it, and the events from it. Deployed to
// each of them (scripts/watch.sh), again whenever the policy changes; the rights are made from the
// policy by `lanyard rights --bicep POLICY`.
import { Rights } from 'types.bicep'

targetScope = 'subscription'

@description('What the policy needs.')
param rights Rights

@description('The function app.')
param appId string

@description('The client id and the object id of the app\'s identity.')
param clientId string
param principalId string

@description('The app\'s storage account, for dead letters.')
param storageId string

@description('How Event Grid brings the events: to the function, or into the app\'s queue of events.')
@allowed([
  'webhook'
  'queue'
])
param delivery string = 'webhook'

@description('The storage account of that queue, where it is another one.')
param eventsStorageId string = storageId

@description('The app\'s installation, by which what it makes is known as its own.')
param installation string

@description('Who is told of dead letters; nobody where it is empty.')
param actionGroupId string = ''

@description('Whether the topic gets an identity, which dead letters are written as. Azure refused one on topics of subscriptions for years; without it what cannot be delivered is lost until the next sweep.')
param topicIdentity bool = true

@description('Where the resource group of the event topic is; its events are global.')
param location string = deployment().location

var watched = subscription().id

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(watched, 'lanyard')
  properties: {
    roleName: 'Lanyard ${subscription().subscriptionId}'
    description: 'What the policy of Lanyard needs, and nothing beyond. Made by `lanyard rights`.'
    type: 'CustomRole'
    permissions: [
      {
        actions: rights.actions
      }
    ]
    assignableScopes: [watched]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watched, principalId, role.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
    // Without a condition the role holds no action that could assign or remove roles.
    condition: empty(rights.condition) ? null : rights.condition
    conditionVersion: empty(rights.condition) ? null : '2.0'
  }
}

resource identityRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (!empty(rights.identityActions)) {
  name: guid(watched, 'lanyard-identities')
  properties: {
    roleName: 'Lanyard identities ${subscription().subscriptionId}'
    description: 'The identities that the policy of Lanyard has made.'
    type: 'CustomRole'
    permissions: [
      {
        actions: rights.identityActions
      }
    ]
    assignableScopes: [watched]
  }
}

resource identitiesAnywhere 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(rights.identityActions) && empty(rights.identityGroups)) {
  name: guid(watched, principalId, 'lanyard-identities')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: identityRole.id
  }
}

module identitiesIn 'modules/group-role.bicep' = [for name in rights.identityGroups: {
  // A deployment's name has 64 characters at most, a group's may have 90.
  name: 'lanyard-identities-${uniqueString(name)}'
  scope: resourceGroup(name)
  params: {
    principalId: principalId
    roleId: identityRole.id
  }
}]

module operator 'modules/identity-operator.bicep' = [for identity in rights.operatorOn: {
  name: 'lanyard-operator-${uniqueString(identity.subscriptionId, identity.resourceGroup, identity.name)}'
  scope: resourceGroup(identity.subscriptionId, identity.resourceGroup)
  params: {
    principalId: principalId
    identityName: identity.name
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
    source: watched
    withIdentity: topicIdentity
  }
}

module deadLetters 'modules/dead-letter-access.bicep' = if (topicIdentity) {
  name: 'lanyard-dead-letters-${subscription().subscriptionId}'
  scope: resourceGroup(split(storageId, '/')[2], split(storageId, '/')[4])
  params: {
    storageName: last(split(storageId, '/'))
    principalId: topic.outputs.principalId
  }
}

module alert 'modules/dead-letter-alert.bicep' = if (topicIdentity) {
  name: 'lanyard-alert'
  scope: group
  params: {
    topicId: topic.outputs.id
    actionGroupId: actionGroupId
  }
}

module sender 'modules/events-sender.bicep' = if (delivery == 'queue') {
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
    keepsDeadLetters: topicIdentity
    delivery: delivery
    eventsStorageId: eventsStorageId
    installation: installation
  }
  // Event Grid tries the container when the subscription is made.
  dependsOn: [
    deadLetters
    sender
  ]
}
