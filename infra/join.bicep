// New subscriptions below a management group join by themselves: Azure Policy deploys watch.bicep to
// each that has no topic of Lanyard's. watch.json is watch.bicep compiled; scripts/join.sh makes it.
targetScope = 'managementGroup'

@description('What watch.bicep takes; the same for every subscription.')
param rights object
param appId string
param clientId string
param principalId string
param storageId string
param delivery string = 'webhook'
param eventsStorageId string = storageId
param installation string
param actionGroupId string = ''

@description('Where the deployments are recorded, and the identity of this assignment is.')
param location string

var owner = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

resource definition 'Microsoft.Authorization/policyDefinitions@2023-04-01' = {
  name: 'lanyard-join'
  properties: {
    displayName: 'Lanyard watches every subscription'
    description: 'Gives Lanyard its rights in a subscription and sends it the events of it.'
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
          type: 'Microsoft.EventGrid/systemTopics'
          name: 'lanyard'
          existenceScope: 'resourceGroup'
          resourceGroupName: 'rg-lanyard-events'
          deploymentScope: 'subscription'
          // It defines and assigns roles, which nothing less than Owner may do.
          roleDefinitionIds: ['/providers/Microsoft.Authorization/roleDefinitions/${owner}']
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              template: loadJsonContent('watch.json')
              parameters: {
                rights: { value: '[parameters(\'watch\').rights]' }
                appId: { value: '[parameters(\'watch\').appId]' }
                clientId: { value: '[parameters(\'watch\').clientId]' }
                principalId: { value: '[parameters(\'watch\').principalId]' }
                storageId: { value: '[parameters(\'watch\').storageId]' }
                delivery: { value: '[parameters(\'watch\').delivery]' }
                eventsStorageId: { value: '[parameters(\'watch\').eventsStorageId]' }
                installation: { value: '[parameters(\'watch\').installation]' }
                actionGroupId: { value: '[parameters(\'watch\').actionGroupId]' }
                location: { value: '[parameters(\'location\')]' }
              }
            }
          }
        }
      }
    }
  }
}

resource assignment 'Microsoft.Authorization/policyAssignments@2023-04-01' = {
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
          rights: rights
          appId: appId
          clientId: clientId
          principalId: principalId
          storageId: storageId
          delivery: delivery
          eventsStorageId: eventsStorageId
          installation: installation
          actionGroupId: actionGroupId
        }
      }
    }
  }
}

resource mayDeploy 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, 'lanyard-join', owner)
  properties: {
    principalId: assignment.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: '/providers/Microsoft.Authorization/roleDefinitions/${owner}'
  }
}
