// Which events of the topic reach the app. Event Grid takes 25 values in the filters of one event
// subscription, so writes and deletions have one each. Types: lanyard/values/compute_types.py; a change
// of tags is told of the tags, and a deleted group may be all that is told of what was in it.
param topicName string
param appId string
param clientId string
param storageId string

@description('Whether the topic has the identity that dead letters are written as.')
param keepsDeadLetters bool

@description('How the events come: to the function, or into the queue of events.')
@allowed([
  'webhook'
  'queue'
])
param delivery string

@description('The storage account that has that queue.')
param eventsStorageId string

@description('Whose the events are: `lanyard doctor` finds two apps that share one by it.')
param installation string

var writes = [
  'Microsoft.Compute/virtualMachines/write'
  'Microsoft.Compute/virtualMachineScaleSets/write'
  'Microsoft.Web/sites/write'
  'Microsoft.Web/sites/slots/write'
  'Microsoft.App/containerApps/write'
  'Microsoft.App/jobs/write'
  'Microsoft.Batch/batchAccounts/pools/write'
  'Microsoft.Automation/automationAccounts/write'
  'Microsoft.ContainerService/managedClusters/write'
  'Microsoft.ContainerInstance/containerGroups/write'
  'Microsoft.HybridCompute/machines/write'
  'Microsoft.Logic/workflows/write'
  'Microsoft.Batch/batchAccounts/write'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write'
  'Microsoft.ManagedIdentity/userAssignedIdentities/write'
  'Microsoft.Resources/tags/write'
]
var deletes = [
  'Microsoft.Compute/virtualMachines/delete'
  'Microsoft.Compute/virtualMachineScaleSets/delete'
  'Microsoft.Web/sites/delete'
  'Microsoft.Web/sites/slots/delete'
  'Microsoft.App/containerApps/delete'
  'Microsoft.App/jobs/delete'
  'Microsoft.Batch/batchAccounts/pools/delete'
  'Microsoft.Automation/automationAccounts/delete'
  'Microsoft.ContainerService/managedClusters/delete'
  'Microsoft.ContainerInstance/containerGroups/delete'
  'Microsoft.HybridCompute/machines/delete'
  'Microsoft.Logic/workflows/delete'
  'Microsoft.Batch/batchAccounts/delete'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/delete'
  'Microsoft.ManagedIdentity/userAssignedIdentities/delete'
  'Microsoft.Resources/tags/delete'
  'Microsoft.Resources/subscriptions/resourceGroups/delete'
]
var deadLetters = {
  identity: {
    type: 'SystemAssigned'
  }
  deadLetterDestination: {
    endpointType: 'StorageBlob'
    properties: {
      resourceId: storageId
      blobContainerName: 'dead-letters'
    }
  }
}

var byQueue = delivery == 'queue'
var toFunction = {
  endpointType: 'AzureFunction'
  properties: {
    resourceId: '${appId}/functions/resource_events'
    maxEventsPerBatch: 1
    preferredBatchSizeInKilobytes: 64
  }
}
// As the topic's own identity; what waits there never ends by itself.
var toQueue = {
  identity: {
    type: 'SystemAssigned'
  }
  destination: {
    endpointType: 'StorageQueue'
    properties: {
      resourceId: eventsStorageId
      queueName: 'lanyard-events'
      queueMessageTimeToLiveInSeconds: -1
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource written 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'lanyard-writes'
  properties: {
    destination: byQueue ? null : toFunction
    deliveryWithResourceIdentity: byQueue ? toQueue : null
    eventDeliverySchema: 'EventGridSchema'
    labels: ['lanyard-installation:${installation}']
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceWriteSuccess']
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: writes
        }
        {
          // Our own writes need not come back. Where the claim is missing the event does come.
          operatorType: 'StringNotIn'
          key: 'data.claims.appid'
          values: [clientId]
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: keepsDeadLetters ? deadLetters : null
  }
}

resource deleted 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'lanyard-deletes'
  properties: {
    destination: byQueue ? null : toFunction
    deliveryWithResourceIdentity: byQueue ? toQueue : null
    eventDeliverySchema: 'EventGridSchema'
    labels: ['lanyard-installation:${installation}']
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceDeleteSuccess']
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: deletes
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: keepsDeadLetters ? deadLetters : null
  }
}
