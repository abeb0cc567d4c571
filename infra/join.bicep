// New subscriptions below a management group join by themselves: the app's rights are given once, here;
// Azure Policy deploys joined.bicep to each subscription that does not send its events to the app yet.
// joined.json is joined.bicep compiled; scripts/join.sh makes it.
targetScope = 'managementGroup'

// Of type Rights (types.bicep). With a type of one's own the template is one of language version 2.0, in
// which Azure's engine leaves the expressions in a policy rule as they stand, those meant for it too.
@description('What the policy needs. After a change of it this is deployed again: one definition changes for all.')
#disable-next-line use-user-defined-types
param rights object

@description('The function app.')
param appId string

@description('The client id and the object id of the app\'s identity.')
param clientId string
param principalId string

@description('The app\'s storage account, for dead letters.')
param storageId string

@description('The storage account of the queue of events, which holds nothing else: who joins may have to be allowed to write it.')
param eventsStorageId string

@description('The app\'s installation, by which what it makes is known as its own.')
param installation string

@description('Who is told of dead letters; nobody where it is empty.')
param actionGroupId string = ''

@description('Where the deployments are recorded, and the identity of this assignment is.')
param location string

var group = managementGroup().id
var title = '${managementGroup().name} ${installation}'
// Where the policy has identities made in groups of a name, the app's second role is assigned in each
// subscription, to those groups; else here.
var bound = !empty(rights.identityActions) && !empty(rights.identityGroups)
var groups = bound ? rights.identityGroups : []
var identityRoleName = guid(group, installation, 'lanyard-identities')
// What joins a subscription, and how: where it changes, those that joined are joined anew.
var configuration = guid(loadJsonContent('joined.json', 'metadata._generator.templateHash'), appId, clientId, principalId, storageId, eventsStorageId, installation, actionGroupId, string(groups))
// No other role, and to nobody else.
var onlyThat = '((!(ActionMatches{\'Microsoft.Authorization/roleAssignments/write\'})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${identityRoleName}} AND @Request[Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals {${principalId}}))'

// The app's rights in every subscription of the group.

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(group, installation, 'lanyard')
  properties: {
    roleName: 'Lanyard ${title}'
    description: 'What the policy of Lanyard needs, and nothing beyond. Made by `lanyard rights`.'
    type: 'CustomRole'
    permissions: [
      {
        actions: rights.actions
      }
    ]
    assignableScopes: [group]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(group, principalId, role.id)
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
  name: identityRoleName
  properties: {
    roleName: 'Lanyard identities ${title}'
    description: 'The identities that the policy of Lanyard has made.'
    type: 'CustomRole'
    permissions: [
      {
        actions: rights.identityActions
      }
    ]
    assignableScopes: [group]
  }
}

resource identitiesAnywhere 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(rights.identityActions) && empty(rights.identityGroups)) {
  name: guid(group, principalId, 'lanyard-identities')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: identityRole.id
  }
}

module operator 'modules/identity-operator.bicep' = [for identity in rights.operatorOn: {
  name: 'lanyard-operator-${uniqueString(identity.subscriptionId, identity.resourceGroup, identity.name)}'
  scope: resourceGroup(identity.subscriptionId, identity.resourceGroup)
  params: {
    principalId: principalId
    identityName: identity.name
  }
}]

// What the identity that joins them may do; security.md has each action, and what it could be misused for.

resource joining 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(group, installation, 'lanyard-joining')
  properties: {
    roleName: 'Lanyard joining ${title}'
    description: 'Sends the events of a new subscription to Lanyard.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.EventGrid/register/action'
          'Microsoft.EventGrid/systemTopics/eventSubscriptions/read'
          'Microsoft.EventGrid/systemTopics/eventSubscriptions/write'
          'Microsoft.EventGrid/systemTopics/read'
          'Microsoft.EventGrid/systemTopics/write'
          'Microsoft.Insights/metricAlerts/read'
          'Microsoft.Insights/metricAlerts/write'
          'Microsoft.Insights/register/action'
          'Microsoft.Resources/deployments/operationStatuses/read'
          'Microsoft.Resources/deployments/read'
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/write'
          'Microsoft.Resources/subscriptions/resourceGroups/read'
          'Microsoft.Resources/subscriptions/resourceGroups/write'
        ]
      }
    ]
    assignableScopes: [group]
  }
}

resource giving 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (bound) {
  name: guid(group, installation, 'lanyard-giving')
  properties: {
    roleName: 'Lanyard giving ${title}'
    description: 'Gives Lanyard its role in the resource groups of identities.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Authorization/roleAssignments/write'
        ]
      }
    ]
    assignableScopes: [group]
  }
}

resource definition 'Microsoft.Authorization/policyDefinitions@2023-04-01' = {
  name: 'lanyard-join'
  properties: {
    displayName: 'Lanyard watches every subscription'
    description: 'Sends Lanyard the events of each subscription.'
    policyType: 'Custom'
    mode: 'All'
    metadata: {
      category: 'Identity'
    }
    parameters: {
      watch: {
        type: 'Object'
      }
      location: {
        type: 'String'
      }
    }
    policyRule: {
      if: {
        field: 'type'
        equals: 'Microsoft.Resources/subscriptions'
      }
      then: {
        effect: 'deployIfNotExists'
        details: {
          // What is made last: where it is, and says with what, all of it is.
          type: 'Microsoft.Insights/metricAlerts'
          name: 'lanyard-dead-letters'
          existenceScope: 'resourceGroup'
          resourceGroupName: 'rg-lanyard-events'
          existenceCondition: {
            field: 'tags[\'lanyard-joined\']'
            equals: '[parameters(\'watch\').configuration]'
          }
          deploymentScope: 'subscription'
          roleDefinitionIds: ['/providers/Microsoft.Authorization/roleDefinitions/${joining.name}']
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              template: loadJsonContent('joined.json')
              parameters: {
                appId: { value: '[parameters(\'watch\').appId]' }
                clientId: { value: '[parameters(\'watch\').clientId]' }
                principalId: { value: '[parameters(\'watch\').principalId]' }
                storageId: { value: '[parameters(\'watch\').storageId]' }
                eventsStorageId: { value: '[parameters(\'watch\').eventsStorageId]' }
                installation: { value: '[parameters(\'watch\').installation]' }
                actionGroupId: { value: '[parameters(\'watch\').actionGroupId]' }
                identityGroups: { value: '[parameters(\'watch\').identityGroups]' }
                identityRole: { value: '[parameters(\'watch\').identityRole]' }
                configuration: { value: '[parameters(\'watch\').configuration]' }
                location: { value: '[parameters(\'location\')]' }
              }
            }
          }
        }
      }
    }
  }
}

resource join 'Microsoft.Authorization/policyAssignments@2023-04-01' = {
  name: 'lanyard-join'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    displayName: 'Lanyard watches every subscription'
    policyDefinitionId: definition.id
    parameters: {
      location: {
        value: location
      }
      watch: {
        value: {
          appId: appId
          clientId: clientId
          principalId: principalId
          storageId: storageId
          eventsStorageId: eventsStorageId
          installation: installation
          actionGroupId: actionGroupId
          identityGroups: groups
          identityRole: identityRoleName
          configuration: configuration
        }
      }
    }
  }
}

// By a module: the assignment is named by the principal, which is another one where the policy was
// assigned anew, and Azure lets no assignment change its principal.
module joins 'modules/group-assignment.bicep' = {
  name: 'lanyard-joins'
  params: {
    principalId: join.identity.principalId
    roleId: joining.id
  }
}

module gives 'modules/group-assignment.bicep' = if (bound) {
  name: 'lanyard-gives'
  params: {
    principalId: join.identity.principalId
    roleId: giving.id
    condition: onlyThat
  }
}

module atStorage 'modules/joining-storage.bicep' = {
  name: 'lanyard-joining'
  scope: resourceGroup(split(storageId, '/')[2], split(storageId, '/')[4])
  params: {
    principalId: join.identity.principalId
    storageName: last(split(storageId, '/'))
    eventsStorageName: last(split(eventsStorageId, '/'))
    title: title
  }
}
