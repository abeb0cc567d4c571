// What the identity that joins subscriptions may do at the app's storage: give a topic, whose identity
// nobody knows beforehand, the two roles by which its events come, each at one place; and write the
// account that the queue of events is alone in, for which Event Grid may ask.
param principalId string
param storageName string
param eventsStorageName string
param title string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
var messageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
var here = resourceGroup().id

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'dead-letters'
}

resource eventsAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: eventsStorageName
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' existing = {
  parent: eventsAccount
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  parent: queues
  name: 'lanyard-events'
}

// A template that gives a role in another subscription is a deployment there, too.
resource deploying 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'lanyard-joining', 'deploying')
  properties: {
    roleName: 'Lanyard joining, deploying ${title}'
    description: 'Deploys, with no right to what is deployed.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Resources/deployments/operationStatuses/read'
          'Microsoft.Resources/deployments/read'
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/write'
        ]
      }
    ]
    assignableScopes: [here]
  }
}

resource giving 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'lanyard-joining', 'giving')
  properties: {
    roleName: 'Lanyard joining, giving ${title}'
    description: 'Gives topics the roles by which their events come.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Authorization/roleAssignments/write'
        ]
      }
    ]
    assignableScopes: [here]
  }
}

resource handling 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'lanyard-joining', 'handling')
  properties: {
    roleName: 'Lanyard joining, handling ${title}'
    description: 'Has events sent to the queue. Which of the two Event Grid asks for is not documented.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/queueServices/queues/write'
          'Microsoft.Storage/storageAccounts/write'
        ]
      }
    ]
    assignableScopes: [here]
  }
}

resource deploys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, deploying.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: deploying.id
  }
}

resource givesDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: container
  name: guid(container.id, principalId, giving.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: giving.id
    condition: '((!(ActionMatches{\'Microsoft.Authorization/roleAssignments/write\'})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${blobContributor}} AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {\'ServicePrincipal\'}))'
    conditionVersion: '2.0'
  }
}

resource givesEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: queue
  name: guid(queue.id, principalId, giving.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: giving.id
    condition: '((!(ActionMatches{\'Microsoft.Authorization/roleAssignments/write\'})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${messageSender}} AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {\'ServicePrincipal\'}))'
    conditionVersion: '2.0'
  }
}

resource handles 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: eventsAccount
  name: guid(eventsAccount.id, principalId, handling.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: handling.id
  }
}
